import StrakeGateway
import Testing

@Suite struct RefusalTests {
    private static let wide = "\u{A0}"

    @Test(
        "what is no JSON is refused in the words of Go's encoding/json",
        arguments: [
            ("hello", "invalid character 'h' looking for beginning of value"),
            ("'", "invalid character '\\'' looking for beginning of value"),
            ("{", "unexpected EOF"), ("{\"a\":1", "unexpected EOF"), ("[1,", "unexpected EOF"),
            ("\"a", "unexpected EOF"),
            ("tru", "unexpected EOF"), ("-", "unexpected EOF"),
            ("{1:2}", "invalid character '1' looking for beginning of object key string"),
            ("{\"a\":1,}", "invalid character '}' looking for beginning of object key string"),
            ("{\"a\" 1}", "invalid character '1' after object key"),
            ("{\"a\":1 \"b\":2}", "invalid character '\"' after object key:value pair"),
            ("[1 2]", "invalid character '2' after array element"),
            ("[1,]", "invalid character ']' looking for beginning of value"),
            ("{\"a\":tRue}", "invalid character 'R' in literal true (expecting 'r')"),
            ("{\"a\":nul}", "invalid character '}' in literal null (expecting 'l')"),
            ("{\"a\":fals\n}", "invalid character '\\n' in literal false (expecting 'e')"),
            ("{\"a\":-x}", "invalid character 'x' in numeric literal"),
            ("{\"a\":01}", "invalid character '1' after object key:value pair"),
            ("{\"a\":1.x}", "invalid character 'x' after decimal point in numeric literal"),
            ("{\"a\":1ex}", "invalid character 'x' in exponent of numeric literal"),
            ("{\"a\":1e+x}", "invalid character 'x' in exponent of numeric literal"),
            ("{\"a\":\"\t\"}", "invalid character '\\t' in string literal"),
            ("{\"a\":\"\u{1}\"}", "invalid character '\\x01' in string literal"),
            ("{\"a\":\"\\x\"}", "invalid character 'x' in string escape code"),
            ("{\"a\":\"\\u12g4\"}", "invalid character 'g' in \\u hexadecimal character escape"),
            // Bytes are taken for characters.
            ("{ä:1}", "invalid character 'Ã' looking for beginning of object key string"),
        ])
    func notJSON(body: String, expected: String) {
        #expect(refusal("kv/range", body) == expected)
    }

    @Test(
        "JSON that is no such message is refused in the words of protojson",
        arguments: [
            ("kv/range", "[]", "proto:\(wide)syntax error (line 1:1): unexpected token ["),
            ("kv/range", "null", "proto:\(wide)syntax error (line 1:1): unexpected token null"),
            ("kv/range", " 12 ", "proto:\(wide)syntax error (line 1:1): unexpected token 12"),
            ("kv/range", "7", "proto:\(wide)syntax error (line 1:1): unexpected token 7"),
            ("kv/range", "\"a\"", "proto:\(wide)syntax error (line 1:1): unexpected token \"a\""),
            ("kv/range", #"{"key":1}"#, "proto:\(wide)(line 1:8): invalid value for bytes field key: 1"),
            (
                "kv/range", "{\n \"key\": {}}",
                "proto:\(wide)(line 2:9): invalid value for bytes field key: {"
            ),
            (
                "kv/range", #"{"ä":1,"count_only":"true"}"#,
                "proto:\(wide)(line 1:21): invalid value for bool field countOnly: \"true\""
            ),
            (
                "kv/range", #"{"sort_order":true}"#,
                "proto:\(wide)(line 1:15): invalid value for enum field sortOrder: true"
            ),
            (
                "kv/range", #"{"sort_order":4294967296}"#,
                "proto:\(wide)(line 1:15): invalid value for enum field sortOrder: 4294967296"
            ),
            ("auth/role/add", #"{"name":5}"#, "proto:\(wide)(line 1:9): invalid value for string field name: 5"),
            ("kv/range", #"{"key":"YQ==","key":"Yg=="}"#, "proto:\(wide)(line 1:15): duplicate field \"key\""),
            (
                "kv/range", #"{"range_end":null,"rangeEnd":"Yg=="}"#,
                "proto:\(wide)(line 1:19): duplicate field \"rangeEnd\""
            ),
            (
                "kv/txn", #"{"success":[{"request_put":{},"request_range":{}}]}"#,
                "proto:\(wide)(line 1:31): error parsing \"request_range\", oneof etcdserverpb.RequestOp.request is already set"
            ),
            ("kv/txn", #"{"success":{}}"#, "proto:\(wide)syntax error (line 1:12): unexpected token {"),
            ("kv/txn", #"{"success":[null]}"#, "proto:\(wide)syntax error (line 1:13): unexpected token null"),
            (
                "cluster/member/add", #"{"peerURLs":["a",null]}"#,
                "proto:\(wide)(line 1:18): invalid value for string field peerURLs: null"
            ),
            ("kv/range", "{\"key\":\"\\ud800\"}", "proto:\(wide)unexpected EOF"),
            (
                "kv/range", "{\"key\":\"\\ud800abcdef\"}",
                "proto:\(wide)syntax error (line 1:8): invalid escape code \"abcdef\" in string"
            ),
            (
                "kv/range", "{\"x\":[\"\\udc00\\udc00\"]}",
                "proto:\(wide)syntax error (line 1:7): invalid escape code \"\\\\udc00\" in string"
            ),
        ])
    func noMessage(path: String, body: String, expected: String) {
        #expect(refusal(path, body) == expected)
    }

    @Test func `a string that is no UTF-8 is refused also where it means nothing`() {
        for body in ["{\"key\":\"\u{1}\"}", "{\"x\":[\"\u{1}\"]}", "{\"\u{1}\":1}"] {
            let bytes = body.utf8.map { $0 == 1 ? 0xFF : $0 }
            let place = body.utf8.firstIndex(of: 1)!
            let column = body.utf8.distance(from: body.startIndex, to: place)
            let expected = GatewayError(
                code: 3, message: "proto:\(Self.wide)syntax error (line 1:\(column)): invalid UTF-8 in string")
            #expect(throws: expected) { try request("kv/range", bytes) }
        }
    }

    @Test func `what nests too deep is refused, whatever it is`() throws {
        func nested(_ depth: Int) -> String {
            "{\"x\":" + String(repeating: "[", count: depth - 1) + String(repeating: "]", count: depth - 1) + "}"
        }
        #expect(try request("kv/range", nested(1_024).utf8) == [])
        #expect(refusal("kv/range", nested(1_025)) == "exceeded max depth")
    }

    @Test func `transactions nest as deep as the store takes them`() throws {
        let depth = 256
        let body =
            String(repeating: #"{"success":[{"request_txn":"#, count: depth) + "{}"
            + String(repeating: "}]}", count: depth)
        #expect(try request("kv/txn", body.utf8).count > depth * 4)
    }

    @Test(
        "codes have the HTTP status that grpc-gateway gives them",
        arguments: [
            (0, 200), (1, 499), (2, 500), (3, 400), (4, 504), (5, 404), (6, 409), (7, 403), (8, 429), (9, 400),
            (10, 409), (11, 400), (12, 501), (13, 500), (14, 503), (15, 500), (16, 401),
        ] as [(UInt8, Int)])
    func statuses(code: UInt8, status: Int) {
        #expect(GatewayError(code: code, message: "").httpStatus == status)
    }

    @Test func `an error is a body of its own, or the last line of a stream`() {
        let error = GatewayError(code: 3, message: "a \"b\" <c>\n")
        #expect(String(decoding: error.body, as: UTF8.self) == #"{"code":3, "message":"a \"b\" <c>\n"}"#)
        let line = #"{"error":{"code":3,"message":"a \"b\" \u003cc\u003e\n"}}"# + "\n"
        #expect(String(decoding: error.line, as: UTF8.self) == line)
        #expect(String(decoding: GatewayError(code: 5, message: "").body, as: UTF8.self) == #"{"code":5}"#)
    }
}
