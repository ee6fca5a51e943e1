/// One request of a client, when it was made and answered, and what the answer said.
package struct Operation: Hashable, Sendable {
    package enum Request: Hashable, Sendable {
        case get
        case put(value: UInt64)
        case delete
        /// Puts `value` when the key's mod revision is `modRevision`, zero for a key that is not there; else reads.
        case compareAndSet(modRevision: Int64, value: UInt64)
    }

    package enum Outcome: Hashable, Sendable {
        /// Of a get, and of a compare-and-set whose comparison failed.
        case read(Observation?)
        /// Of a put, and of a compare-and-set that succeeded.
        case written
        case deleted(count: Int)
        /// Nobody knows. It may take effect at any time after it was made, once, or never.
        case unknown
    }

    package var client: Int
    /// Every request is about one key, so each key can be judged by itself.
    package var key: Int
    package var request: Request
    package var outcome: Outcome
    /// The store's revision in the answer's header; nil when the answer does not tell.
    package var revision: Int64?
    /// When the request was made and answered, on one clock for all clients. Without an answer nothing bounds its end.
    package var invoked: Int64
    package var returned: Int64

    package init(
        client: Int, key: Int, request: Request, outcome: Outcome, revision: Int64? = nil, invoked: Int64,
        returned: Int64
    ) {
        self.client = client
        self.key = key
        self.request = request
        self.outcome = outcome
        self.revision = revision
        self.invoked = invoked
        self.returned = outcome == .unknown ? .max : returned
    }

    /// What a read shows of a key. Values are numbers, each written once at most if a test is to be sharp.
    package struct Observation: Hashable, Sendable {
        package var value: UInt64
        package var createRevision: Int64
        package var modRevision: Int64
        package var version: Int64

        package init(value: UInt64, createRevision: Int64, modRevision: Int64, version: Int64) {
            self.value = value
            self.createRevision = createRevision
            self.modRevision = modRevision
            self.version = version
        }
    }

    package var isAnswered: Bool { outcome != .unknown }

    /// The answer says that the store changed.
    package var isEffective: Bool {
        switch outcome {
        case .written: true
        case .deleted(let count): count > 0
        case .read, .unknown: false
        }
    }
}

extension Operation: CustomStringConvertible {
    package var description: String {
        let end = returned == .max ? "..." : String(returned)
        let at = revision.map { " at revision \($0)" } ?? ""
        return "[\(invoked), \(end)] client \(client): \(request.description(key: key)) -> \(outcome)\(at)"
    }
}

extension Operation.Request {
    fileprivate func description(key: Int) -> String {
        switch self {
        case .get: "get k\(key)"
        case .put(let value): "put k\(key)=\(value)"
        case .delete: "delete k\(key)"
        case .compareAndSet(let mod, let value): "if mod(k\(key))=\(mod) put k\(key)=\(value)"
        }
    }
}

extension Operation.Outcome: CustomStringConvertible {
    package var description: String {
        switch self {
        case .read(nil): "no key"
        case .read(let seen?): "\(seen.value), create \(seen.createRevision) mod \(seen.modRevision) v\(seen.version)"
        case .written: "written"
        case .deleted(let count): "deleted \(count)"
        case .unknown: "unknown"
        }
    }
}
