internal import Glibc
internal import StrakeMVCC
internal import Synchronization

extension EmbeddedStore {
    /// What has threads or the directory, to be let go once.
    final class Parts: Sendable {
        /// Reads under way hold the store's file for a moment longer than the store.
        private static let fileMillisecondsMax = 10_000

        enum State {
            case open(RunningStore)
            /// With what there is to say about it still.
            case closed(Status, [Member])
        }

        private let held: Mutex<State>
        private let desk: RequestDesk
        private let readers: ReaderThreads
        private let watches: WatchDesk
        private let scans: ScanRegister
        private let closed = Mutex(false)

        init(
            _ running: RunningStore, _ desk: RequestDesk, _ readers: ReaderThreads, _ watches: WatchDesk,
            _ scans: ScanRegister
        ) {
            held = Mutex(.open(running))
            self.desk = desk
            self.readers = readers
            self.watches = watches
            self.scans = scans
        }

        var state: State { held.withLock { $0 } }

        /// Nil once it is closed.
        var store: Store? {
            if case .open(let running) = state { running.store } else { nil }
        }

        /// Waits for the disk, and so for a thread that may. Who comes second waits for the first.
        func close() {
            closed.withLock { closed in
                if closed { return }
                closed = true
                watches.close()
                weak let file = closeStore()
                desk.close()
                // Not before: what a canceled call has left behind is read to its end.
                readers.close()
                scans.close()
                // Whoever opens the directory next, perhaps in this process, must find its file closed.
                var milliseconds = 0
                while file != nil, milliseconds < Self.fileMillisecondsMax {
                    usleep(1_000)
                    milliseconds += 1
                }
            }
        }

        /// - Returns: The store's file, which is held by nobody but by reads that end.
        private func closeStore() -> (any AnyObject & Sendable)? {
            guard case .open(let running) = state else { return nil }
            running.close()
            let (status, members) = (Status(of: running.store), Member.all(of: running.store))
            held.withLock { $0 = .closed(status, members) }
            return running.store.reader.openFile
        }
    }
}
