/// A result, with the store's revision once it was had. The result's properties can be asked for directly.
@dynamicMemberLookup
public struct Revisioned<Result: Sendable>: Sendable {
    /// Main revision of the store when the request was carried out. A change that was made has it.
    public var revision: Int64
    public var result: Result

    public init(revision: Int64, _ result: Result) {
        self.revision = revision
        self.result = result
    }

    public subscript<Value>(dynamicMember path: KeyPath<Result, Value>) -> Value { result[keyPath: path] }
}

extension Revisioned: Equatable where Result: Equatable {}
extension Revisioned: Hashable where Result: Hashable {}
