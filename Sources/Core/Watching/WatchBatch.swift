package import StrakeModel

/// The events of whole revisions, in the order they were made.
///
/// The server wraps what it has: a batch that was applied, or what a replay read.
package protocol WatchBatch {
    var count: Int { get }
    func mainRevision(at index: Int) -> Int64
    func kind(at index: Int) -> Event.Kind
    /// Lends the key's bytes, so that they need no array of their own.
    func withKey(at index: Int, _ body: (RawSpan) -> Void)
}

extension Array: WatchBatch where Element == Event {
    package func mainRevision(at index: Int) -> Int64 { self[index].keyValue.modRevision }

    package func kind(at index: Int) -> Event.Kind { self[index].kind }

    package func withKey(at index: Int, _ body: (RawSpan) -> Void) {
        let key = self[index].keyValue.key
        body(key.span.bytes)
    }
}
