import StrakeGateway
import Testing

@Suite struct AnswerTests {
    @Test(
        "answers become JSON: fields in their declared order, defaults left out",
        arguments: [
            ("kv/put", "", "{}"),
            ("kv/put", "0a00", #"{"header":{}}"#),
            (
                "kv/put", "0a09 08ac02 1002 1803 2004",
                #"{"header":{"cluster_id":"300", "member_id":"2", "revision":"3", "raft_term":"4"}}"#
            ),
            // 64-bit numbers are strings, signed or not; 32-bit ones are numbers.
            (
                "kv/put", "0a16 08ffffffffffffffffff01 18ffffffffffffffffff01",
                #"{"header":{"cluster_id":"18446744073709551615", "revision":"-1"}}"#
            ),
            ("maintenance/hash", "0a00 10ffffffff0f", #"{"header":{}, "hash":4294967295}"#),
            // Lists and messages in them; zeros, false and empty bytes are not there.
            (
                "kv/range", "1203 0a0161 1204 0a00 1000 1801 2002",
                #"{"kvs":[{"key":"YQ=="}, {}], "more":true, "count":"2"}"#
            ),
            ("kv/range", "1202 3000 1800 2000", #"{"kvs":[{}]}"#),
            // Enumerations by name; a number without one as a number.
            (
                "maintenance/alarm", "1204 0801 1001 1204 0802 1009",
                #"{"alarms":[{"memberID":"1", "alarm":"NOSPACE"}, {"memberID":"2", "alarm":9}]}"#
            ),
            ("lease/timetolive", "1001 18ffffffffffffffffff01", #"{"ID":"1", "TTL":"-1"}"#),
            ("lease/timetolive", "2a0161 2a00", #"{"keys":["YQ==", ""]}"#),
            ("auth/user/list", "12013c 120122 120101", ##"{"users":["<", "\"", "\u0001"]}"##),
            // A message is there even when it is empty.
            ("maintenance/status", "6a00", #"{"downgradeInfo":{}}"#),
            // Fields in an order of their own, one that comes twice, unknown ones of every type.
            ("auth/authenticate", "120162 0a00 120163", #"{"header":{}, "token":"c"}"#),
            ("auth/authenticate", "f83f05 120162 fa3f0100 fd3f00000000 f93f0000000000000000", #"{"token":"b"}"#),
            (
                "kv/range", "2001 12030a0161 0a00 12030a0162",
                #"{"header":{}, "kvs":[{"key":"YQ=="}, {"key":"Yg=="}], "count":"1"}"#
            ),
        ])
    func messages(path: String, message: String, expected: String) throws {
        #expect(try answer(path, bytes(message)) == expected)
    }

    @Test(
        "bytes are base64 of any length",
        arguments: [("61", "YQ=="), ("6162", "YWI="), ("616263", "YWJj"), ("fbff", "+/8="), ("00000000", "AAAAAA==")])
    func base64(value: String, expected: String) throws {
        let value = bytes(value)
        let message = [0x12, UInt8(value.count)] + value
        #expect(try answer("lock/lock", message) == "{\"key\":\"\(expected)\"}")
    }

    @Test func `lines of a stream have no blanks, and nothing that HTML takes for its own`() throws {
        // A created and cancelled watch with a reason; then an event, whose type is a delete.
        let reason = Array("a<b>&c".utf8)
        let canceled = bytes("0a021803 1801 2001 32") + [UInt8(reason.count)] + reason
        let expected =
            ##"{"result":{"header":{"revision":"3"},"created":true,"canceled":true,"cancel_reason":"a\u003cb\u003e\u0026c"}}"##
        #expect(try line("watch", canceled) == expected + "\n")
        let event = bytes("0a00 5a07 0801 1203 0a0161")
        #expect(
            try line("watch", event) == #"{"result":{"header":{},"events":[{"type":"DELETE","kv":{"key":"YQ=="}}]}}"#
                + "\n")
    }

    @Test(
        "an answer that is damaged is an error",
        arguments: ["0a", "0a05", "08", "0aff", "0f", "0b", "10ffffffffffffffffffff01", "1a0161", "0801", "0a0208"])
    func damaged(message: String) {
        #expect(throws: GatewayError(code: 13, message: "the answer is no protobuf message of its type")) {
            try answer("kv/range", bytes(message))
        }
    }
}
