import StrakeGateway
import Testing

@Suite struct RequestTests {
    @Test(
        "bodies become requests",
        arguments: [
            ("kv/range", "{}", ""),
            ("kv/range", "", ""),
            ("kv/range", " \n{ \"key\" : \"YQ==\" } ", "0a0161"),
            // Both names of a field, numbers as numbers and as strings, enumerations by name and number.
            ("kv/range", #"{"key":"YQ==","range_end":"Yg=="}"#, "0a0161 120162"),
            ("kv/range", #"{"key":"YQ==","rangeEnd":"Yg=="}"#, "0a0161 120162"),
            ("kv/range", #"{"limit":300,"revision":"-1"}"#, "18ac02 20ffffffffffffffffff01"),
            ("kv/range", #"{"sort_order":"DESCEND","sort_target":4}"#, "2802 3004"),
            ("kv/range", #"{"sort_order":-1}"#, "28ffffffffffffffffff01"),
            ("kv/range", #"{"serializable":true,"keys_only":false}"#, "3801 4000"),
            // What means nothing: null, unknown fields with anything in them, unknown names of enumerations.
            ("kv/range", #"{"key":null,"limit":null}"#, ""),
            ("kv/range", #"{"x":{"y":[1,"]}",{"z":null}]},"limit":1,"w":false}"#, "1801"),
            ("kv/range", #"{"sort_order":"UP","limit":1}"#, "1801"),
            // Only the first value counts.
            ("kv/range", #"{"limit":1}{"limit":2}"#, "1801"),
            // Escapes in names and values.
            ("kv/range", #"{"l\u0069mit":"\u0031"}"#, "1801"),
            ("auth/role/add", #"{"name":"\u00e4\ud83d\ude00\/\n"}"#, "0a08 c3a4 f09f9880 2f0a"),
            // Nested messages, oneofs whose member is zero, empty messages.
            (
                "kv/txn",
                #"{"compare":[{"key":"YQ==","target":"VERSION","result":"GREATER","version":"0"}],"#
                    + #""success":[{"request_put":{"key":"YQ==","value":"MQ=="}},{"requestRange":{}}]}"#,
                "0a09 1a0161 1000 0801 2000 1208 1206 0a0161 120131 1202 0a00"
            ),
            // Lists: of strings; of numbers, which are packed, unknown ones left out.
            (
                "cluster/member/add", #"{"peerURLs":["http://a:1","b"],"isLearner":true}"#,
                "0a0a687474703a2f2f613a31 0a0162 1001"
            ),
            ("watch", #"{"create_request":{"filters":["NODELETE","NOPUT","OTHER",1]}}"#, "0a05 2a03010001"),
            ("watch", #"{"progress_request":{}}"#, "1a00"),
            ("maintenance/transfer-leadership", #"{"targetID":"18446744073709551615"}"#, "08ffffffffffffffffff01"),
            ("lease/grant", #"{"TTL":"60","ID":-7}"#, "083c 10f9ffffffffffffffff01"),
            (
                "auth/role/grant", #"{"name":"r","perm":{"permType":"READWRITE","key":"YQ=="}}"#,
                "0a0172 1205 0802 120161"
            ),
        ])
    func bodies(path: String, body: String, expected: String) throws {
        #expect(hex(try request(path, body.utf8)) == hex(bytes(expected)))
    }

    @Test(
        "bytes come in four kinds of base64",
        arguments: [
            ("", ""), ("YQ==", "61"), ("YQ", "61"), ("YWI=", "6162"), ("YWI", "6162"), ("YWJj", "616263"),
            ("+/8=", "fbff"), ("-_8=", "fbff"), ("-_8", "fbff"), ("+/8", "fbff"), ("YW\\nJj", "616263"),
            // The bits that are left over are not looked at.
            ("YR==", "61"),
        ])
    func base64(text: String, expected: String) throws {
        let message = try request("lock/unlock", "{\"key\":\"\(text)\"}".utf8)
        #expect(hex(Array(message.dropFirst(2))) == expected)
    }

    @Test(
        "what is no base64 is refused",
        arguments: ["!!!", "Y", "YQ=", "YQ===", "Y===", "=", "====", "+_8=", "YQ==YQ==", "YWJjY", "YQ=a", "ä", "YQ =="])
    func notBase64(text: String) {
        let expected = "proto:\u{A0}(line 1:8): invalid value for bytes field key: \"\(text)\""
        #expect(refusal("lock/unlock", "{\"key\":\"\(text)\"}") == expected)
    }

    @Test(
        "whole numbers may be written in many ways",
        arguments: [
            ("0", 0), ("-0", 0), ("1e0", 1), ("1E+2", 100), ("1.0", 1), ("120e-1", 12), ("1.5e1", 15), ("0.0e-9", 0),
            ("\"12\"", 12), ("\"1e2\"", 100), ("-9223372036854775808", Int64.min), ("9223372036854775807", Int64.max),
            ("\"-9223372036854775808\"", Int64.min), ("9.223372036854775807e18", Int64.max),
        ] as [(String, Int64)])
    func wholeNumbers(text: String, expected: Int64) throws {
        let message = try request("lease/revoke", "{\"ID\":\(text)}".utf8)
        var value: UInt64 = 0
        for (place, byte) in message.dropFirst().enumerated() { value |= UInt64(byte & 0x7F) << UInt64(7 * place) }
        #expect(Int64(bitPattern: value) == expected)
    }

    @Test(
        "numbers that are not whole or do not fit are refused",
        arguments: [
            "1.5", "1e-1", "0.1e0", "5e-1", "9223372036854775808", "-9223372036854775809", "1e19", "1e99999999999",
            "\"\"", "\" 1\"", "\"1 \"", "\"x\"", "\"01\"", "\"+1\"", "\"1.\"", "true", "\"0x1\"",
        ])
    func otherNumbers(text: String) {
        let expected = "proto:\u{A0}(line 1:7): invalid value for int64 field ID: \(text)"
        #expect(refusal("lease/revoke", "{\"ID\":\(text)}") == expected)
    }

    @Test func `an unsigned number is not negative`() {
        let expected = "proto:\u{A0}(line 1:7): invalid value for uint64 field ID: \"-1\""
        #expect(refusal("cluster/member/remove", #"{"ID":"-1"}"#) == expected)
    }
}
