/// Sizes of an environment and its file.
package struct EnvironmentStatistics: Hashable, Sendable {
    package var pageBytes: Int
    package var mapBytes: Int
    /// Number of the last page ever used; it never falls.
    package var lastPage: Int
    /// Pages of the free list, those included that an old read transaction still holds back from reuse.
    package var freePages: Int
    package var fileBytes: Int
    package var lastTransaction: UInt64
    package var readersUsed: Int

    /// What a quota counts: pages with something in them.
    package var bytesInUse: Int { max(0, lastPage + 1 - freePages) * pageBytes }
}
