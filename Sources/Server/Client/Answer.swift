/// What a server answers: the body's properties, and the header.
@dynamicMemberLookup
public struct Answer<Body: Sendable>: Sendable {
    public var header: Header
    public var body: Body

    public init(header: Header, body: Body) {
        self.header = header
        self.body = body
    }

    public subscript<Value>(dynamicMember path: KeyPath<Body, Value>) -> Value { body[keyPath: path] }

    /// The same with the body in another form.
    func map<Other: Sendable>(_ transform: (Body) -> Other) -> Answer<Other> {
        Answer<Other>(header: header, body: transform(body))
    }
}

extension Answer: Equatable where Body: Equatable {}
extension Answer: Hashable where Body: Hashable {}
