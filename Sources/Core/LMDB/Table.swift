/// A named table of an environment. Good for as long as the environment is open.
package struct Table: Hashable, Sendable {
    package let name: String
    /// liblmdb's MDB_dbi.
    let handle: UInt32

    /// Of every environment: the pages that transactions freed, by transaction number.
    static var freePages: Table { Table(name: "", handle: 0) }
    /// Of every environment: the names of its tables. To be counted, not written.
    package static var names: Table { Table(name: "", handle: 1) }
}

/// The shape of a table's B+ tree.
package struct TableStatistics: Hashable, Sendable {
    package var depth: Int
    package var branchPages: Int
    package var leafPages: Int
    package var overflowPages: Int
    package var entries: Int
}
