package import StrakeRaft

/// Why the log cannot do as asked. The description is for the operator.
package enum LogError: Error, Equatable, Sendable {
    /// A system call failed. From a write or a sync it is final: the log accepts nothing more until it is opened again.
    case disk(DiskError)
    /// Another process has this log open.
    case locked(path: String)
    /// Damage in the middle of what had been synced. The log is not opened: entries that were acknowledged may be gone.
    case corrupt(LogCorruption)
    /// Written by another version.
    case unsupportedFormat(path: String, found: UInt32, supported: UInt32)
    /// Another member's log.
    case foreignLog(path: String, expected: MemberIdentity, found: MemberIdentity)
    /// Segments before `path` are gone and no snapshot stands for them.
    case missingSegments(path: String, start: LogIndex, snapshot: LogIndex?)
    /// There is no log though there has to be one.
    case missingLog(path: String)
    /// Below the first entry that is still there.
    case compacted(requested: LogIndex, firstIndex: LogIndex)
    /// Above the last entry.
    case unavailable(requested: LogIndex, lastIndex: LogIndex)
    case closed
}

extension LogError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .disk(let error): "\(error)"
        case .locked(let path): "\(path) is locked: another process has this data directory open. Stop it first."
        case .corrupt(let corruption): describe(corruption)
        case .unsupportedFormat(let path, let found, let supported):
            "\(path) is of log format \(found); this version reads format \(supported). Start the version that wrote it, "
                + "or a newer one that says in its release notes that it upgrades from it."
        case .foreignLog(let path, let expected, let found):
            "\(path) belongs to \(found), not to \(expected). Data directories cannot be exchanged between members: "
                + "give each member its own."
        case .missingSegments(let path, let start, let snapshot):
            "\(path) is the first segment of the log and starts after entry \(start), but "
                + (snapshot.map { "the snapshot ends at \($0)" } ?? "there is no snapshot")
                + ": files of the log are missing. " + danger + Remedy.ofMissingFiles
        case .missingLog(let path):
            "there is no log in \(path): its files are missing. " + danger
                + Remedy.ofMissingFiles
        case .compacted(let requested, let firstIndex):
            "entry \(requested) is gone: the log starts at \(firstIndex)"
        case .unavailable(let requested, let lastIndex):
            "entry \(requested) is not there yet: the log ends at \(lastIndex)"
        case .closed: "the log is closed"
        }
    }

    private func describe(_ corruption: LogCorruption) -> String {
        let proof =
            corruption.provenBy.map { " (the record at byte \($0) shows that this place had been synced)" } ?? ""
        return "\(corruption.path) is damaged at byte \(corruption.offset): \(corruption.problem)\(proof). " + danger
            + Remedy.ofDamage
    }

    private var danger: String {
        "Entries that were acknowledged may be lost, so this member must not go on without them. "
    }
}
