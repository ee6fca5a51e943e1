/// A consistent view of the environment. Ends with its value, then serves the next reader.
///
/// It may change threads, used by one at a time: a table's root is looked up at its first use.
package struct ReadTransaction: ~Copyable, Transaction, @unchecked Sendable {
    package let raw: OpaquePointer
    private let environment: Environment

    init(raw: OpaquePointer, environment: Environment) {
        self.raw = raw
        self.environment = environment
    }

    deinit { environment.giveBack(raw) }
}
