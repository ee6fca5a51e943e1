/// A small record of another part of the state machine, written with the checkpoint that it belongs to.
package struct StateChange: Hashable, Sendable {
    package var key: [UInt8]
    /// Nil: the record goes.
    package var value: [UInt8]?

    package init(key: [UInt8], value: [UInt8]?) {
        self.key = key
        self.value = value
    }
}
