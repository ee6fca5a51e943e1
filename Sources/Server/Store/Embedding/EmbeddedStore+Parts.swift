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
                let fileCloses = Doorbell()
                let wasOpen = closeStore { fileCloses.ring() }
                desk.close()
                // Not before: what a canceled call has left behind is read to its end.
                readers.close()
                scans.close()
                // Whoever opens the directory next, perhaps in this process, must find its file closed.
                if wasOpen { _ = fileCloses.wait(milliseconds: Self.fileMillisecondsMax) }
            }
        }

        /// From then on the store's file is held by nobody but by reads that end.
        ///
        /// - Returns: It was open, and `fileCloses` will be called.
        private func closeStore(fileCloses: @escaping @Sendable () -> Void) -> Bool {
            guard case .open(let running) = state else { return false }
            running.close()
            let (status, members) = (Status(of: running.store), Member.all(of: running.store))
            held.withLock { $0 = .closed(status, members) }
            running.store.reader.whenFileCloses(fileCloses)
            return true
        }
    }
}
