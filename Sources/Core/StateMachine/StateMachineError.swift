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
