/// Why a command ends: what it prints after "Error:", and the exit code, which are etcdctl's.
package struct CommandFailure: Error {
    package var message: String?
    package var exitCode: Int32

    static let failed: Int32 = 1
    static let badConnection: Int32 = 2
    package static let invalidInput: Int32 = 3
    static let badFeature: Int32 = 4
    static let interrupted: Int32 = 5
    static let badArguments: Int32 = 128

    init(_ message: String?, _ exitCode: Int32 = failed) {
        self.message = message
        self.exitCode = exitCode
    }

    static func arguments(_ message: String) -> CommandFailure { CommandFailure(message, badArguments) }
}
