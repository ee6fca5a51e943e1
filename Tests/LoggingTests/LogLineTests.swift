import StrakeLogging
import Testing

struct LogLineTests {
    private static func line(_ message: String, _ fields: [(String, LogValue)] = [], caller: String = "a/B.swift:7")
        -> LogLine
    {
        LogLine(
            level: .info, time: LogTime(seconds: 1_700_000_000, microseconds: 1_230), caller: caller, message: message,
            fields: fields)
    }

    private static func text(_ line: LogLine, _ format: LogFormat) -> String {
        String(decoding: line.encoded(as: format), as: UTF8.self)
    }

    @Test func `a JSON line has zap's keys in zap's order`() {
        let line = Self.line("hello", [("n", .integer(-5)), ("s", .string("x"))])
        #expect(
            Self.text(line, .json)
                == "{\"level\":\"info\",\"ts\":\"2023-11-14T22:13:20.001230Z\",\"caller\":\"a/B.swift:7\","
                + "\"msg\":\"hello\",\"n\":-5,\"s\":\"x\"}\n")
        #expect(!Self.text(Self.line("hello", caller: ""), .json).contains("caller"))
    }

    @Test func `a console line has columns, and the fields at its end`() {
        let line = Self.line("hello", [("n", .integer(5)), ("s", .string("x"))])
        #expect(
            Self.text(line, .console)
                == "2023-11-14T22:13:20.001230Z\tinfo\ta/B.swift:7\thello\t{\"n\": 5, \"s\": \"x\"}\n")
        #expect(Self.text(Self.line("hello"), .console).hasSuffix("\thello\n"))
    }

    @Test func `nothing in a message or a field ends the line or the text`() {
        let line = Self.line("a\nb\t\"c\"\\", [("k\"", .string("\u{1}\r\u{e9}"))])
        #expect(
            Self.text(line, .json).hasSuffix(
                "\"msg\":\"a\\nb\\t\\\"c\\\"\\\\\",\"k\\\"\":\"\\u0001\\r\u{e9}\"}\n"))
        #expect(Self.text(line, .console).split(separator: "\n").count == 1)
    }
}
