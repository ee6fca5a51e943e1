import StrakeFuzzing
import StrakeGateway
import StrakeSeededGenerator
import Testing

@Suite struct FuzzTests {
    private let damage = Damage(letters: Array("{}[]\":,\\u0e-1tfn".utf8))

    private static let bodies: [(path: String, body: String)] = [
        (
            "kv/range",
            #"{"key":"YQ==","range_end":"Yg","limit":"12","sort_order":"DESCEND","sort_target":2,"keys_only":true}"#
        ),
        ("kv/put", #"{"key":"azA=","value":"\u0064jk=","lease":-7e2,"prev_kv":false,"other":[null,{"x":[]}]}"#),
        (
            "kv/txn",
            #"{"compare":[{"key":"YQ==","target":"MOD","result":"LESS","mod_revision":"3"}],"success":[{"request_put":"#
                + #"{"key":"YQ=="}},{"request_txn":{"failure":[{"request_range":{}}]}}]}"#
        ),
        (
            "watch",
            #"{"create_request":{"key":"YQ==","start_revision":1.0,"filters":["NOPUT",1]}}{"progress_request":{}}"#
        ),
        ("cluster/member/add", #"{"peerURLs":["http://\ud83d\ude00:1","ä"],"isLearner":null}"#),
        ("auth/role/grant", #"{"name":"r","perm":{"permType":"WRITE","key":"-_8","rangeEnd":"AA=="}}"#),
    ]

    private static let answers: [(path: String, message: String)] = [
        ("kv/range", "0a06 0801 10ac02 1803 1212 0a0161 1002 1803 2004 2a0362636400 3005 1801 2001"),
        ("kv/txn", "0a00 1001 1a09 0a07 1203 0a0161 2001 1a04 2202 1001"),
        ("watch", "0a021803 1801 32036f6f70 5a0c 0801 1203 0a0161 1a03 0a0162"),
        ("maintenance/status", "1203332e37 18808001 2a00 420161 6a07 0801 1203332e36"),
        ("cluster/member/list", "120c 0801 12016d 1a0161 220162 2801"),
    ]

    @Test func `damaged bodies never trap, and are refused with a text or become protobuf`() throws {
        var random = SeededGenerator(seed: SeededGenerator.seed(of: "damaged bodies"))
        var accepted = 0
        for _ in 0..<FuzzCases.count {
            let (path, text) = Self.bodies[random.below(Self.bodies.count)]
            var body = Array(text.utf8)
            damage.apply(to: &body, &random)
            do throws(GatewayError) {
                let message = try request(path, body)
                accepted += 1
                #expect(isProtobuf(message), "\(path) \(body)")
            } catch {
                #expect(error.code == 3 && !error.message.isEmpty, "\(path) \(body)")
            }
        }
        // Damage that everything survives, or nothing, tests little.
        #expect(
            (FuzzCases.count / 20..<FuzzCases.count * 19 / 20).contains(accepted), "\(accepted) of \(FuzzCases.count)")
    }

    @Test func `damaged answers never trap, and become JSON or an error`() throws {
        var random = SeededGenerator(seed: SeededGenerator.seed(of: "damaged answers"))
        var accepted = 0
        for _ in 0..<FuzzCases.count {
            let (path, text) = Self.answers[random.below(Self.answers.count)]
            var message = bytes(text)
            damage.apply(to: &message, &random)
            guard let json = try? line(path, message) else { continue }
            accepted += 1
            #expect(isJSON(json), "\(path) \(hex(message)) \(json)")
        }
        #expect(
            (FuzzCases.count / 20..<FuzzCases.count * 19 / 20).contains(accepted), "\(accepted) of \(FuzzCases.count)")
    }

    private func isJSON(_ text: String) -> Bool {
        var syntax = JSONSyntax()
        var ends = 0
        for byte in text.utf8 {
            guard let verdict = try? syntax.take(byte) else { return false }
            if case .ends = verdict { ends += 1 }
        }
        return ends == 1 && syntax.isBlank
    }

    /// Whether the outermost fields are whole.
    private func isProtobuf(_ message: [UInt8]) -> Bool {
        var rest = message[...]
        func varint() -> UInt64? {
            var value: UInt64 = 0
            for shift in 0..<10 {
                guard let byte = rest.popFirst() else { return nil }
                value |= UInt64(byte & 0x7F) << UInt64(7 * shift)
                if byte < 0x80 { return value }
            }
            return nil
        }
        while !rest.isEmpty {
            guard let tag = varint(), tag & 7 == 0 || tag & 7 == 2, let value = varint() else { return false }
            if tag & 7 == 0 { continue }
            guard value <= UInt64(rest.count) else { return false }
            rest = rest.dropFirst(Int(value))
        }
        return true
    }
}
