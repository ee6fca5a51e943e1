package import StrakeMVCC
package import StrakeModel
package import StrakeRaft
package import StrakeTables

/// Why a member must stop: going on would make it differ from the others.
package enum StateMachineError: Error {
    case store(MVCCError)
    case table(TableError)
    /// The entry was written by a version that knows more than this one.
    case unknownCommand(EntryID, CommandDecodingError)
    case malformedEntry(EntryID)
    /// A row of the state table that no version writes.
    case malformedRow(key: [UInt8])
}

extension StateMachineError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .store(let error): error.description
        case .table(let error): error.description
        case .unknownCommand(let entry, .unknownVersion(let version)):
            "entry \(entry) holds a command of version \(version), which this version of the program does not know"
        case .unknownCommand(let entry, .unknownKind(let kind)):
            "entry \(entry) holds a command of kind \(kind), which this version of the program does not know"
        case .unknownCommand(let entry, .malformed), .malformedEntry(let entry):
            "entry \(entry) is not one that any version writes"
        case .malformedRow(let key):
            "the record of row \(TableError.hexadecimal(key)) in table state is not one that any version writes"
        }
    }
}
