internal import NIOCore
internal import Synchronization

/// Counts the connections whose handshake is under way, as long as something holds their permits. On the connection's event
/// loop, like all that holds it.
final class HandshakePermit: Sendable {
    /// When there are as many as may be, the oldest has to go: whoever opens connections and says nothing would else keep
    /// everybody out. Who means it is done long before so many others have come.
    final class Desk: Sendable {
        private struct State {
            /// What ends each of them, by number.
            var holders: [UInt64: @Sendable () -> Void] = [:]
            /// No lower number is among them.
            var oldest: UInt64 = 0
            var next: UInt64 = 0

            mutating func removeOldest() -> (@Sendable () -> Void)? {
                while oldest < next {
                    defer { oldest += 1 }
                    if let evict = holders.removeValue(forKey: oldest) { return evict }
                }
                return nil
            }
        }

        private let max: Int
        private let state = Mutex(State())

        init(max: Int) {
            self.max = max
        }

        /// - Parameter evicted: Ends the connection; called on its event loop, if the permit is still held.
        func take(on eventLoop: any EventLoop, evicted: @escaping @Sendable () -> Void) -> HandshakePermit {
            let (permit, evict) = state.withLock { state in
                let evict = state.holders.count < max ? nil : state.removeOldest()
                let permit = HandshakePermit(self, number: state.next)
                state.holders[state.next] = { [weak permit] in
                    eventLoop.execute { [weak permit] in if permit != nil { evicted() } }
                }
                state.next += 1
                return (permit, evict)
            }
            evict?()
            return permit
        }

        fileprivate func giveBack(_ number: UInt64) {
            state.withLock { state in _ = state.holders.removeValue(forKey: number) }
        }
    }

    private let desk: Desk
    private let number: UInt64

    private init(_ desk: Desk, number: UInt64) {
        self.desk = desk
        self.number = number
    }

    deinit { desk.giveBack(number) }
}
