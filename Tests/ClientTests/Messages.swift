internal import StrakeEtcdWire
internal import StrakeModel

/// Answers of servers, for scripts.
enum Messages {
    static func put(revision: Int64) -> [UInt8] {
        Response(ResponseHeader(revision: revision), PutResponse()).encoded()
    }

    static func range(_ key: String, _ value: String, revision: Int64) -> [UInt8] {
        let keyValue = KeyValue(
            key: Array(key.utf8), createRevision: revision, modRevision: revision, version: 1, value: Array(value.utf8))
        return Response(ResponseHeader(revision: revision), RangeResponse(keyValues: [keyValue], count: 1)).encoded()
    }

    static func created(revision: Int64) -> [UInt8] {
        Response(ResponseHeader(revision: revision), WatchResponse(watchID: 0, created: true)).encoded()
    }

    static func compacted(at compactRevision: Int64, revision: Int64) -> [UInt8] {
        let body = WatchResponse(watchID: 0, canceled: true, compactRevision: compactRevision)
        return Response(ResponseHeader(revision: revision), body).encoded()
    }

    /// A watch that is not permitted, as etcd says it.
    static func denied(_ reason: String) -> [UInt8] {
        let body = WatchResponse(watchID: -1, created: true, canceled: true, cancelReason: reason)
        return Response(ResponseHeader(revision: 9), body).encoded()
    }

    static func token(_ token: String) -> [UInt8] {
        Response(ResponseHeader(revision: 1), AuthenticateResponse(token: token)).encoded()
    }

    /// One put of `key` at each revision.
    static func events(
        _ key: String, at revisions: [Int64], value: [UInt8] = [], fragment: Bool = false
    ) -> [UInt8] {
        let body = WatchResponse(watchID: 0, fragment: fragment)
        return Response(ResponseHeader(revision: revisions.last ?? 0), body).encoded()
            + revisions.flatMap { event(key, at: $0, value: value).watchField() }
    }

    static func event(_ key: String, at revision: Int64, value: [UInt8] = []) -> Event {
        Event(kind: .put, keyValue: KeyValue(key: Array(key.utf8), modRevision: revision, version: 1, value: value))
    }

    static func lease(_ id: Int64, ttl: Int64) -> [UInt8] {
        Response(ResponseHeader(), LeaseGrantResponse(id: LeaseID(rawValue: id), ttlSeconds: ttl)).encoded()
    }

    /// The start revision of a request to create a watcher.
    static func startRevision(_ request: [UInt8]) -> Int64? {
        guard case .create(let create)? = try? request.withUnsafeBytes({ try WatchRequest(protobuf: $0) }) else {
            return nil
        }
        return create.startRevision
    }
}
