import StrakeGateway
import Testing

@Suite struct BodyTests {
    private static let text = #" {"a":[1,{"b":"}\""}]} 12 true"x" [] -0.5e3"#
    private static let values = [#"{"a":[1,{"b":"}\""}]}"#, "12", "true", "\"x\"", "[]", "-0.5e3"]

    @Test(arguments: 1...50)
    func `a body is taken apart alike, however it comes`(size: Int) throws {
        let bytes = Array(Self.text.utf8)
        var body = RequestBody(bytesMax: 100)
        var found: [[UInt8]] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            try append(Array(bytes[start..<min(start + size, bytes.count)]), to: &body) { found.append($0) }
        }
        if let last = try body.end() { found.append(last) }
        #expect(found.map { String(decoding: $0, as: UTF8.self) } == Self.values)
    }

    @Test func `values before what is wrong are found`() {
        var body = RequestBody(bytesMax: 100)
        var found = 0
        #expect(throws: GatewayError(code: 3, message: "invalid character 'z' looking for beginning of value")) {
            try append(Array("{}{}z".utf8), to: &body) { _ in found += 1 }
        }
        #expect(found == 2)
    }

    @Test func `a value that is too long is refused, and space around values is not counted`() throws {
        var body = RequestBody(bytesMax: 5)
        var found = 0
        try append(Array("            [123]      [123]".utf8), to: &body) { _ in found += 1 }
        #expect(found == 2)
        #expect(throws: GatewayError(code: 3, message: "etcdserver: request is too large")) {
            try append(Array("[1234]".utf8), to: &body) { _ in found += 1 }
        }
    }
}
