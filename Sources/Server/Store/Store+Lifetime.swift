package import StrakeLog
internal import StrakeModel
internal import StrakeRaft
internal import StrakeReplication
internal import Synchronization

/// A store that runs, with its threads. Close it before the process ends, or the next start has more to apply again.
package final class RunningStore: Sendable {
    package let store: Store
    private let housekeeper: Housekeeper
    private let diskThread: WorkerThread
    private let applyThread: WorkerThread
    private let checkpointThread: WorkerThread
    private let housekeepingThread: WorkerThread
    private let clockThread: WorkerThread
    private let clockBell: Doorbell

    /// Opens the directory, applies what the last checkpoint lacks, and returns once the member serves.
    package init(opening options: StoreOptions, on disk: any Disk = FileDisk()) throws(StoreStartError) {
        let store = Store(parts: try StoreParts.open(options, on: disk))
        let housekeeper = Housekeeper()
        let clockBell = Doorbell()
        self.store = store
        self.housekeeper = housekeeper
        self.clockBell = clockBell
        diskThread = WorkerThread(name: "strake-disk") {
            store.disk.run(
                persisted: { write in
                    store.step { replica, output in replica.step(.persisted(write: write), into: &output) }
                },
                entriesRead: { read, entries in
                    store.step { replica, output in replica.step(.logRead(read, entries: entries), into: &output) }
                },
                needsSegment: { housekeeper.wake() },
                failed: { error in store.stopForGood("the log failed: \(error)") })
        }
        applyThread = WorkerThread(name: "strake-apply") { store.applyRole.run(store.apply) }
        checkpointThread = WorkerThread(name: "strake-check") { store.checkpoint.run(on: store) }
        housekeepingThread = WorkerThread(name: "strake-log") {
            housekeeper.run(log: store.log) { error in store.options.onNotice(StoreNotice(housekeeping: error)) }
        }
        store.setTruncation { housekeeper.truncate(behind: $0) }
        clockThread = WorkerThread(name: "strake-clock") { store.runClock(until: clockBell) }
        // A cluster of one need not wait for an election timeout: nobody else could win.
        store.step { replica, output in replica.step(.campaign, into: &output) }
        store.lifecycle.waitUntilServing()
        guard !store.lifecycle.isStopped else {
            close()
            throw StoreStartError("the member stopped while it started; the line before says why")
        }
        store.publishAttributes()
    }

    /// Checkpoints what is applied and lets go of the directory. Requests still waiting are refused.
    package func close() {
        store.saveLeaseTimes()
        clockBell.ring()
        clockThread.join()
        store.disk.close()
        diskThread.join()
        store.applyRole.close()
        applyThread.join()
        store.checkpoint.close()
        checkpointThread.join()
        _ = store.lifecycle.stop()
        store.giveUpIfStopped()
        housekeeper.close()
        housekeepingThread.join()
        // A failed log has said so when it failed; there is nothing more to save in it.
        try? store.log.close()
        store.directory.close()
    }
}
