internal import StrakeHTTP2
internal import Testing

struct ErrorCase: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let bytes: [UInt8]
    let code: UInt32

    init(_ description: String, _ bytes: [UInt8], _ code: UInt32) {
        testDescription = description
        self.bytes = bytes
        self.code = code
    }
}

private let noError: UInt32 = 0
private let protocolError: UInt32 = 1
private let flowControlError: UInt32 = 3
private let streamClosed: UInt32 = 5
private let frameSizeError: UInt32 = 6
private let refusedStream: UInt32 = 7
private let compressionError: UInt32 = 9
private let enhanceYourCalm: UInt32 = 11

/// What a server must detect (RFC 9113), after the handshake.
@Suite struct ConnectionErrorTests {
    private static let block = Wire.block(Wire.callFields)

    static let connectionErrors: [ErrorCase] = [
        ErrorCase(
            "4.2 a frame larger than allowed", Wire.frame(0xBB, stream: 0, .init(repeating: 0, count: 16_385)),
            frameSizeError),
        ErrorCase("4.3 a block that does not decode", Wire.frame(1, flags: 5, stream: 1, [0x80]), compressionError),
        ErrorCase("5.1 DATA on an idle stream", Wire.data(1, [1]), protocolError),
        ErrorCase("5.1 WINDOW_UPDATE on an idle stream", Wire.windowUpdate(1, 1), protocolError),
        ErrorCase("5.1 RST_STREAM on an idle stream", Wire.reset(1), protocolError),
        ErrorCase("5.1 WINDOW_UPDATE on a stream of the server's", Wire.windowUpdate(2, 1), protocolError),
        ErrorCase("5.1 DATA on a stream of the server's", Wire.data(2, [1]), protocolError),
        ErrorCase(
            "5.1 HEADERS after both sides ended", Wire.call(1) + Wire.reset(1) + Wire.call(1), streamClosed),
        ErrorCase("5.1.1 an even stream", Wire.call(2), protocolError),
        ErrorCase("5.1.1 a stream below the last", Wire.call(5) + Wire.call(3), protocolError),
        ErrorCase("6.1 DATA on stream 0", Wire.data(0, [1]), protocolError),
        ErrorCase(
            "6.1 padding longer than DATA", Wire.call(1) + Wire.frame(0, flags: 8, stream: 1, [3, 0, 0]), protocolError),
        ErrorCase(
            "6.1 padded DATA without a pad length", Wire.call(1) + Wire.frame(0, flags: 8, stream: 1), frameSizeError),
        ErrorCase("6.2 HEADERS on stream 0", Wire.call(0), protocolError),
        ErrorCase(
            "6.2 padding longer than HEADERS", Wire.frame(1, flags: 0xD, stream: 1, [9] + [0x82, 0x84]), protocolError),
        ErrorCase("6.2 padded HEADERS without a pad length", Wire.frame(1, flags: 0xD, stream: 1), frameSizeError),
        ErrorCase(
            "6.2 HEADERS too short for their priority", Wire.frame(1, flags: 0x25, stream: 1, [0, 0, 0, 0]),
            frameSizeError),
        ErrorCase(
            "6.2 another frame within a block", Wire.frame(1, flags: 1, stream: 1, block) + Wire.ping(), protocolError),
        ErrorCase("6.2 DATA within a block", Wire.frame(1, stream: 1, block) + Wire.data(1, []), protocolError),
        ErrorCase(
            "6.2 CONTINUATION of another stream",
            Wire.frame(1, flags: 1, stream: 1, block) + Wire.frame(9, flags: 4, stream: 3), protocolError),
        ErrorCase("6.3 PRIORITY on stream 0", Wire.frame(2, stream: 0, .init(repeating: 0, count: 5)), protocolError),
        ErrorCase("6.4 RST_STREAM on stream 0", Wire.reset(0), protocolError),
        ErrorCase(
            "6.4 RST_STREAM of a wrong size", Wire.call(1) + Wire.frame(3, stream: 1, [0, 0, 0]), frameSizeError),
        ErrorCase("6.5 SETTINGS on a stream", Wire.frame(4, stream: 1), protocolError),
        ErrorCase("6.5 an acknowledgement with a payload", Wire.frame(4, flags: 1, stream: 0, [0]), frameSizeError),
        ErrorCase("6.5 SETTINGS of a wrong size", Wire.frame(4, stream: 0, [0, 1, 0]), frameSizeError),
        ErrorCase("6.5.2 ENABLE_PUSH of 2", Wire.settings([(2, 2)]), protocolError),
        ErrorCase("6.5.2 INITIAL_WINDOW_SIZE of 2^31", Wire.settings([(4, 1 << 31)]), flowControlError),
        ErrorCase("6.5.2 MAX_FRAME_SIZE of 16,383", Wire.settings([(5, 16_383)]), protocolError),
        ErrorCase("6.5.2 MAX_FRAME_SIZE of 2^24", Wire.settings([(5, 1 << 24)]), protocolError),
        ErrorCase("6.6 PUSH_PROMISE", Wire.call(1) + Wire.frame(5, flags: 4, stream: 1, [0, 0, 0, 2]), protocolError),
        ErrorCase("6.7 PING on a stream", Wire.frame(6, stream: 1, .init(repeating: 0, count: 8)), protocolError),
        ErrorCase("6.7 PING of a wrong size", Wire.frame(6, stream: 0, .init(repeating: 0, count: 7)), frameSizeError),
        ErrorCase("6.8 GOAWAY on a stream", Wire.frame(7, stream: 1, .init(repeating: 0, count: 8)), protocolError),
        ErrorCase(
            "6.8 GOAWAY of a wrong size", Wire.frame(7, stream: 0, .init(repeating: 0, count: 7)), frameSizeError),
        ErrorCase("6.9 WINDOW_UPDATE of a wrong size", Wire.frame(8, stream: 0, [0, 0, 1]), frameSizeError),
        ErrorCase("6.9 WINDOW_UPDATE of 0 on the connection", Wire.windowUpdate(0, 0), protocolError),
        ErrorCase("6.9.1 a connection window above 2^31-1", Wire.windowUpdate(0, 0x7FFF_FFFF), flowControlError),
        ErrorCase(
            "6.9.2 a stream window above 2^31-1 by SETTINGS",
            Wire.call(1) + Wire.windowUpdate(1, 0x7FFF_0000 - 65_535) + Wire.settings([(4, 0x0002_0000)]),
            flowControlError),
        ErrorCase(
            "6.10 CONTINUATION without HEADERS", Wire.call(1) + Wire.frame(9, flags: 4, stream: 1), protocolError),
        ErrorCase(
            "6.10 CONTINUATION behind END_HEADERS", Wire.call(1) + Wire.frame(9, flags: 4, stream: 1, block),
            protocolError),
    ]

    @Test("connection errors end in GOAWAY with their code", arguments: connectionErrors)
    func connectionError(error: ErrorCase) {
        let server = TestServer.ready()
        server.receive(error.bytes)
        let last = server.frames().last
        #expect(last?.type == 7)
        #expect(last?.code == error.code)
        #expect(server.log.last?.hasPrefix("failed(") == true)
        // Nothing is heard any more.
        let lines = server.log.count
        server.receive(Wire.call(11))
        #expect(server.log.count == lines && server.connection.outputCount == 0)
    }

    private static func fields(_ change: (inout [(String, String)]) -> Void) -> [UInt8] {
        var fields = Wire.callFields
        change(&fields)
        return Wire.headers(1, fields)
    }

    static let streamErrors: [ErrorCase] = [
        ErrorCase("5.1 DATA after END_STREAM", Wire.call(1, end: true) + Wire.data(1, [1]), streamClosed),
        ErrorCase("5.1 HEADERS after END_STREAM", Wire.call(1, end: true) + Wire.call(1, end: true), streamClosed),
        ErrorCase("5.1 DATA after RST_STREAM", Wire.call(1) + Wire.reset(1) + Wire.data(1, [1]), streamClosed),
        ErrorCase(
            "6.3 PRIORITY of a wrong size", Wire.call(1) + Wire.frame(2, stream: 1, [0, 0, 0, 0]), frameSizeError),
        ErrorCase("6.9 WINDOW_UPDATE of 0", Wire.call(1) + Wire.windowUpdate(1, 0), protocolError),
        ErrorCase(
            "6.9.1 a stream window above 2^31-1", Wire.call(1) + Wire.windowUpdate(1, 0x7FFF_FFFF), flowControlError),
        ErrorCase("8.1 trailers without END_STREAM", Wire.call(1) + Wire.headers(1, [("x", "y")]), protocolError),
        ErrorCase(
            "8.1 a pseudo-header in trailers", Wire.call(1) + Wire.headers(1, [(":path", "/")], end: true),
            protocolError),
        ErrorCase(
            "8.1.1 a body longer than content-length",
            fields { $0.append(("content-length", "6")) }
                + Wire.data(1, Wire.message([1, 2]), end: true), protocolError),
        ErrorCase(
            "8.1.1 a body shorter than content-length",
            fields { $0.append(("content-length", "8")) }
                + Wire.data(1, Wire.message([1, 2]), end: true), protocolError),
        ErrorCase(
            "8.1.1 two content-lengths", fields { $0 += [("content-length", "8"), ("content-length", "7")] },
            protocolError),
        ErrorCase(
            "8.1.1 a content-length that is no number", fields { $0.append(("content-length", "-1")) }, protocolError),
        ErrorCase("8.2 upper case", fields { $0.append(("X-Y", "z")) }, protocolError),
        ErrorCase("8.2.1 a space in a name", fields { $0.append(("x y", "z")) }, protocolError),
        ErrorCase("8.2.1 a colon in a name", fields { $0.append(("x:y", "z")) }, protocolError),
        ErrorCase("8.2.1 an empty name", fields { $0.append(("", "z")) }, protocolError),
        ErrorCase("8.2.1 NUL in a value", fields { $0.append(("x", "a\0b")) }, protocolError),
        ErrorCase("8.2.1 LF in a value", fields { $0.append(("x", "a\nb")) }, protocolError),
        ErrorCase("8.2.1 CR in a value", fields { $0.append(("x", "a\rb")) }, protocolError),
        ErrorCase("8.2.2 connection", fields { $0.append(("connection", "close")) }, protocolError),
        ErrorCase("8.2.2 transfer-encoding", fields { $0.append(("transfer-encoding", "chunked")) }, protocolError),
        ErrorCase("8.2.2 upgrade", fields { $0.append(("upgrade", "x")) }, protocolError),
        ErrorCase("8.2.2 keep-alive", fields { $0.append(("keep-alive", "x")) }, protocolError),
        ErrorCase("8.2.2 proxy-connection", fields { $0.append(("proxy-connection", "x")) }, protocolError),
        ErrorCase("8.3 an unknown pseudo-header", fields { $0.insert((":x", "y"), at: 0) }, protocolError),
        ErrorCase("8.3 a response's pseudo-header", fields { $0.insert((":status", "200"), at: 0) }, protocolError),
        ErrorCase("8.3 a pseudo-header behind others", fields { $0.swapAt(0, 4) }, protocolError),
        ErrorCase("8.3 a pseudo-header twice", fields { $0.insert((":path", "/"), at: 0) }, protocolError),
        ErrorCase("8.3.1 no :method", fields { $0.removeAll { $0.0 == ":method" } }, protocolError),
        ErrorCase("8.3.1 no :path", fields { $0.removeAll { $0.0 == ":path" } }, protocolError),
        ErrorCase("8.3.1 an empty :path", fields { $0[2].1 = "" }, protocolError),
    ]

    @Test("stream errors end in RST_STREAM with their code, and the connection lives", arguments: streamErrors)
    func streamError(error: ErrorCase) {
        let server = TestServer.ready()
        server.receive(error.bytes)
        let resets = server.frames().filter { $0.type == 3 }
        #expect(resets.map(\.stream) == [1])
        #expect(resets.first?.code == error.code)
        #expect(!server.connection.isFailed)
        #expect(server.connection.openStreams == 0)
        server.receive(Wire.call(3))
        #expect(server.log.last == "call 3 method 0")
    }

    static let tolerated: [ErrorCase] = [
        ErrorCase(
            "4.1 the reserved bit and unknown flags",
            Wire.frame(6, flags: 0xF0, stream: 1 << 31, .init(repeating: 0, count: 8)), 0),
        ErrorCase("5.5 an unknown frame", Wire.frame(0xAB, flags: 0xFF, stream: 77, [1, 2, 3]), 0),
        ErrorCase("5.5 an unknown setting", Wire.settings([(0x99, 5)]), 0),
        ErrorCase(
            "5.1 late RST_STREAM and WINDOW_UPDATE",
            Wire.call(1) + Wire.reset(1) + Wire.reset(1) + Wire.windowUpdate(1, 5), 0),
        ErrorCase("6.3 PRIORITY on an idle stream", Wire.frame(2, stream: 9, [0, 0, 0, 9, 1]), 0),
        ErrorCase(
            "8.3.1 neither :scheme nor :authority",
            Wire.headers(1, Wire.callFields.filter { $0.0 != ":scheme" && $0.0 != ":authority" }), 0),
        ErrorCase(
            "8.3.1 any :scheme and :authority",
            fields {
                $0[1].1 = "unix"
                $0[3].1 = "@%/?"
            }, 0),
        ErrorCase("te of something else", fields { $0[5].1 = "gzip" }, 0),
        ErrorCase("an empty SETTINGS and an empty WINDOW", Wire.settings() + Wire.settings([(4, 0)]), 0),
    ]

    @Test("odd but lawful frames are let through", arguments: tolerated)
    func lawful(error: ErrorCase) {
        let server = TestServer.ready()
        server.receive(error.bytes)
        #expect(server.frames().allSatisfy { $0.type == 4 || $0.type == 6 })
        #expect(!server.connection.isFailed)
        server.receive(Wire.call(3))
        #expect(server.log.last == "call 3 method 0")
    }

    @Test func `a bad preface is PROTOCOL_ERROR`() {
        for bytes in [Array("GET / HTTP/1.1\r\n\r\n".utf8), Array("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n".utf8)] {
            let server = TestServer()
            server.receive(bytes)
            let frames = server.frames()
            #expect(frames.first?.type == 4)
            #expect(frames.last?.type == 7 && frames.last?.code == protocolError)
        }
    }

    @Test func `the first frame must be SETTINGS`() {
        for bytes in [Wire.ping(), Wire.frame(4, flags: 1, stream: 0), Wire.call(1)] {
            let server = TestServer()
            server.receive(Wire.magic + bytes)
            #expect(server.frames().last?.code == protocolError)
        }
    }

    @Test func `SETTINGS are sent before anything is heard, and the peer's are acknowledged`() {
        let server = TestServer()
        #expect(server.frames().map(\.type) == [4, 8])
        server.receive(Wire.magic + Wire.settings([(3, 100)]))
        #expect(server.frames() == [ReadFrame(type: 4, flags: 1, stream: 0, payload: [])])
    }

    @Test func `streams above the limit are refused, and the table of headers stays right`() {
        let server = TestServer.ready(configure: { $0.maxConcurrentStreams = 2 })
        let added = [0x40] + Wire.string("x") + Wire.string("y")
        server.receive(Wire.call(1) + Wire.call(3))
        server.receive(Wire.frame(1, flags: 4, stream: 5, Wire.block(Wire.callFields) + added))
        let frames = server.frames()
        #expect(frames.map(\.type) == [3])
        #expect(frames.first?.code == refusedStream)
        server.receive(Wire.reset(1) + Wire.frame(1, flags: 4, stream: 7, Wire.block(Wire.callFields) + [0xBE]))
        #expect(server.fields.last.map { "\($0)=\($1)" } == "x=y")
    }

    @Test func `DATA beyond a window is FLOW_CONTROL_ERROR`() {
        // Windows are given back by halves, so only one large frame can be more than is left.
        let exact = Wire.data(1, [UInt8](repeating: 0, count: 65_535))
        let more = Wire.data(1, [UInt8](repeating: 0, count: 65_536))
        for (isConnection, data) in [(false, exact), (false, more), (true, exact), (true, more)] {
            let server = TestServer.ready(configure: {
                $0.frameBytesMax = 1 << 20
                if isConnection { $0.connectionWindowBytes = 65_535 } else { $0.streamWindowBytes = 65_535 }
            })
            server.receive(Wire.headers(1, Wire.getFields) + data)
            let errors = server.frames().filter { $0.type == 3 || $0.type == 7 }
            #expect(errors.map(\.type) == (data == exact ? [] : [isConnection ? 7 : 3]))
            #expect(errors.allSatisfy { $0.code == flowControlError })
        }
    }

    @Test func `streams that we reset are ignored, not errors`() {
        let server = TestServer.ready()
        server.receive(Wire.call(1))
        server.connection.reset(server.streams[1]!, .cancel)
        _ = server.take()
        server.receive(
            Wire.data(1, Wire.message([1])) + Wire.headers(1, [("x", "y")], end: true) + Wire.reset(1)
                + Wire.windowUpdate(1, 1))
        #expect(server.frames().isEmpty)
        #expect(!server.connection.isFailed)
    }
}
