package import StrakeLog
internal import StrakeModel
package import StrakeRaft
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
    private let snapshotThread: WorkerThread
    private let scrubThread: WorkerThread
    /// Kept here: the transport need not.
    private let receiver: StoreReceiver?

    /// Who the member is, or would be if it were started now: what a transport has to know before there is a store.
    package static func identity(
        for options: StoreOptions, on disk: any Disk = FileDisk()
    ) throws(StoreStartError) -> (cluster: UInt64, member: MemberID, isNew: Bool) {
        do throws(DataDirectoryError) {
            let directory = try DataDirectory(opening: options.dataDirectory, on: disk)
            defer { directory.close() }
            let identity = Founding(options, owner: directory.identity).identity
            return (identity.cluster, identity.member, directory.identity == nil)
        } catch {
            throw StoreStartError(error).advising(options, member: nil)
        }
    }

    /// Opens the directory and starts the member. A member alone applies what the last checkpoint lacks, and serves on
    /// return; one of several serves what it has by itself at once, and everything else when it finds a leader.
    ///
    /// - Parameter transport: To the other members; the store closes it.
    package init(
        opening options: StoreOptions, on disk: any Disk = FileDisk(), transport: (any Transport)? = nil
    ) throws(StoreStartError) {
        let store = Store(parts: try StoreParts.open(options, on: disk), transport: transport)
        let housekeeper = Housekeeper()
        self.store = store
        self.housekeeper = housekeeper
        diskThread = WorkerThread(name: "strake-disk") {
            store.disk.run(
                persisted: { write in
                    store.step { replica, output in replica.step(.persisted(write: write), into: &output) }
                },
                entriesRead: { read, entries in
                    store.step { replica, output in replica.step(.logRead(read, entries: entries), into: &output) }
                },
                needsSegment: { housekeeper.wake() },
                restore: { (snapshot) throws(LogError) in try store.install(snapshot) },
                failed: { error in store.stopForGood("the log failed: \(error)") })
        }
        applyThread = WorkerThread(name: "strake-apply") { store.applyRole.run(store.apply) }
        checkpointThread = WorkerThread(name: "strake-check") { store.checkpoint.run(on: store) }
        housekeepingThread = WorkerThread(name: "strake-log") {
            housekeeper.run(log: store.log) { error in store.options.onNotice(StoreNotice(housekeeping: error)) }
        }
        store.setTruncation { housekeeper.truncate($0) }
        clockThread = WorkerThread(name: "strake-clock") { store.runClock() }
        snapshotThread = WorkerThread(name: "strake-snapshot") { store.runSnapshots() }
        scrubThread = WorkerThread(name: "strake-scrub") { store.scrub.run(on: store) }
        receiver = transport.map { transport in
            let receiver = StoreReceiver(store)
            transport.start(receiver)
            return receiver
        }
        store.membersChanged()
        let configuration = store.replica.withLock { $0.replica.node.configuration }
        if configuration.voters == [store.identity.member], !configuration.isJoint {
            // A cluster of one need not wait for an election timeout: nobody else could win.
            store.step { replica, output in replica.step(.campaign, into: &output) }
            store.lifecycle.waitUntilServing()
            store.waitUntilReady()
        } else {
            store.lifecycle.markServing()
            if options.hastensFirstElection { store.hastenElection() }
        }
        guard !store.lifecycle.isStopped else {
            close()
            throw StoreStartError("the member stopped while it started; the line before says why")
        }
    }

    /// Checkpoints what is applied and lets go of the directory. Requests still waiting are refused.
    package func close() {
        store.saveLeaseTimes()
        store.handOverLeadership()
        store.lifecycle.close()
        store.scrub.close()
        store.clockBell.ring()
        clockThread.join()
        store.snapshotBell.ring()
        snapshotThread.join()
        store.transport?.close()
        store.snapshots.close()
        store.disk.close()
        diskThread.join()
        store.applyRole.close()
        applyThread.join()
        store.checkpoint.close()
        checkpointThread.join()
        // Not before: it may be waiting for the checkpoint's thread, which compacts until it is told to end.
        scrubThread.join()
        _ = store.lifecycle.stop()
        store.giveUpIfStopped()
        housekeeper.close()
        housekeepingThread.join()
        // A failed log has said so when it failed; there is nothing more to save in it.
        try? store.log.close()
        store.directory.close()
    }
}
