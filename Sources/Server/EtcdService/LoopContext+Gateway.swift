extension LoopContext {
    /// Connections of the gateway without a call that are kept for the next ones.
    private static let idleLoopbacksMax = 4

    func takeLoopback() -> Loopback {
        while let loopback = idleLoopbacks.popLast() {
            if loopback.isOpen { return loopback }
        }
        return Loopback(loop: self)
    }

    /// Takes back one whose call is completed.
    func giveBack(_ loopback: Loopback) {
        guard loopback.isOpen, idleLoopbacks.count < Self.idleLoopbacksMax else { return loopback.close() }
        idleLoopbacks.append(loopback)
    }
}
