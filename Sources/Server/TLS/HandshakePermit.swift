internal import Synchronization

/// Counts the connections whose handshake is under way, as long as something holds their permits.
final class HandshakePermit: Sendable {
    final class Desk: Sendable {
        let max: Int
        private let taken = Atomic(0)

        init(max: Int) {
            self.max = max
        }

        var count: Int { taken.load(ordering: .relaxed) }

        /// Nil when there are as many as may be.
        func take() -> HandshakePermit? {
            if taken.add(1, ordering: .relaxed).newValue <= max { return HandshakePermit(self) }
            taken.subtract(1, ordering: .relaxed)
            return nil
        }

        fileprivate func giveBack() { taken.subtract(1, ordering: .relaxed) }
    }

    private let desk: Desk

    private init(_ desk: Desk) {
        self.desk = desk
    }

    deinit { desk.giveBack() }
}
