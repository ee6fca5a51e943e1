internal import StrakeLog
internal import StrakeStateMachine
internal import StrakeTables

/// Why a member could not start: one sentence for the operator.
package struct StoreStartError: Error, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}
