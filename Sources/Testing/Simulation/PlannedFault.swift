internal import Glibc
internal import StrakeLMDB
internal import StrakeLog
internal import StrakeMVCC
internal import StrakeStateMachine
internal import StrakeTables

/// Tells the failures that the simulation has made from those that are findings.
enum PlannedFault {
    /// What the simulated disk has said; nil for an error that it does not explain.
    static func errno(of error: any Error) -> Int32? {
        switch error {
        case let error as DiskError: error.errno
        case DataDirectoryError.disk(let error), LogError.disk(let error): error.errno
        case let error as LMDBError: errno(of: error)
        case TableError.lmdb(let error), MVCCError.storage(.lmdb(let error)),
            SnapshotError.store(.storage(.lmdb(let error))), SnapshotError.table(.lmdb(let error)),
            StateMachineError.store(.storage(.lmdb(let error))), StateMachineError.table(.lmdb(let error)):
            errno(of: error)
        default: nil
        }
    }

    private static func errno(of error: LMDBError) -> Int32? {
        switch error.kind {
        case .io(let errno): errno == EIO || errno == ENOSPC ? errno : nil
        // After a meta page that could not be written.
        case .panicked: EIO
        default: nil
        }
    }
}
