internal import Glibc
internal import StrakeLMDB
internal import StrakeLog
internal import StrakeMVCC
internal import StrakeStateMachine
internal import StrakeTables

/// Why a member could not start: one sentence for the operator.
public struct StoreStartError: Error, CustomStringConvertible {
    public var description: String
    /// The member's files are damaged or gone, and no start will mend them.
    var filesAreUnfit: Bool

    package init(_ description: String) {
        self.description = description
        filesAreUnfit = false
    }

    init(_ description: String, filesAreUnfit: Bool) {
        self.description = description
        self.filesAreUnfit = filesAreUnfit
    }

    /// The same, with what to do about the files.
    func advising(_ options: StoreOptions, member: UInt64?) -> StoreStartError {
        filesAreUnfit ? StoreStartError(description + options.adviceOnUnfitFiles(member: member)) : self
    }

    /// In the error's own words.
    init(_ error: some Error) {
        self.init("\(error)", filesAreUnfit: error.saysFilesAreUnfit)
    }
}

extension Error {
    /// It speaks of damage to the member's files, not of a disk that is full or fails, or of what somebody else did.
    var saysFilesAreUnfit: Bool {
        switch self {
        case let error as LogError:
            switch error {
            case .corrupt, .missingSegments, .missingLog: true
            case .disk, .locked, .unsupportedFormat, .foreignLog, .compacted, .unavailable, .closed: false
            }
        case let error as DataDirectoryError:
            switch error {
            case .damaged, .emptied: true
            case .disk, .locked, .etcdDirectory, .foreign, .unsupportedFormat, .identityMismatch: false
            }
        // `CURRENT` is not as it was written.
        case let error as DiskError: error.errno == EBADMSG
        case let error as TableError:
            switch error {
            case .corruptRecord: true
            case .lmdb(let error): error.kind == .corrupted || error.kind == .foreignFile
            case .unsupportedFormat, .newerFormat: false
            }
        case let error as MVCCError:
            switch error {
            case .storage(let error): error.saysFilesAreUnfit
            case .refused: false
            }
        case let error as StateMachineError:
            switch error {
            case .store(let error): error.saysFilesAreUnfit
            case .table(let error): error.saysFilesAreUnfit
            case .malformedRow: true
            case .unknownCommand, .malformedEntry: false
            }
        default: false
        }
    }
}

extension StoreOptions {
    /// Others have what this member holds.
    var hasOtherMembers: Bool { initialMembers.count > 1 || joining != nil }

    /// What there is to do about files that are of no use, behind the sentence that says so. A member alone has its
    /// copies.
    func adviceOnUnfitFiles(member: UInt64?) -> String {
        guard hasOtherMembers else { return "" }
        return " The other members have what this one had. Do not put back files from before its last run: they would "
            + "lack what it has acknowledged since. \(rebuildAdvice(member: member))"
    }
}
