/// An answer to a request that nobody will see but us.
struct Refusal {
    var httpStatus = 200
    var status: GRPCStatus
    var message: String
    /// Says which compression would do (gRPC: with UNIMPLEMENTED for an unknown one).
    var namesEncodings = false
    var contentType = CallContentType.plain
}

extension Engine {
    /// A header block of a client's stream: a new request, or trailers.
    mutating func requestReceived(_ number: UInt32) -> Event {
        if let slot = streams.find(number) { return requestTrailersReceived(slot) }
        guard number > lastPeerStream else { return lateHeadersReceived(number) }
        lastPeerStream = number
        // Behind the GOAWAY: the client knows that it must try elsewhere (RFC 9113 §6.8).
        guard drain != .closing && drain != .reported else {
            closedStreams.note(number, .resetHere)
            return .nothing
        }
        guard streams.count < Int(limits.maxConcurrentStreams) else { return streamError(number, .refusedStream) }
        let summary = RequestSummary(decoder.fields, count: decoder.fieldCount)
        if decoder.isListTooLong {
            return answer(
                number,
                Refusal(httpStatus: 431, status: .resourceExhausted, message: "request header list too large"))
        }
        guard !summary.isMalformed else { return streamError(number, .protocolError) }
        if summary.isGRPC || summary.method >= 0, var refusal = refusal(summary) {
            refusal.contentType = summary.contentType
            return answer(number, refusal)
        }
        return open(number, summary)
    }

    private mutating func open(_ number: UInt32, _ summary: RequestSummary) -> Event {
        let slot = streams.insert(number)
        let stream = streams.slots + slot
        stream.pointee.isGRPC = summary.isGRPC
        stream.pointee.contentType = summary.contentType
        stream.pointee.sendWindow = peerWindow
        stream.pointee.receiveWindow = limits.streamWindowBytes
        stream.pointee.contentLength = summary.contentLength
        let id = StreamID(number: number, slot: UInt32(slot))
        head = (summary.isGRPC ? summary.method : -1, summary.timeoutNanoseconds, headersEndStream, 0)
        if headersEndStream {
            // Known before the callback, so that an answer in it closes the stream cleanly.
            stream.pointee.remoteEnded = true
            pendingEnd = id
        }
        return summary.isGRPC ? .callOpened(id) : .requestOpened(id)
    }

    /// What grpc-go refuses, in its order and with its texts.
    private func refusal(_ summary: RequestSummary) -> Refusal? {
        let view = currentHeaders
        guard summary.isGRPC else {
            let type = GoQuote.quoted(ByteView(view.value(of: .contentType)))
            return Refusal(
                httpStatus: 415, status: .invalidArgument, message: "invalid gRPC request content-type \(type)")
        }
        if summary.isTimeoutMalformed {
            let complaint = GRPCTimeout.complaint(ByteView(view.value(of: .grpcTimeout)))
            return Refusal(httpStatus: 400, status: .internal, message: complaint)
        }
        guard summary.isPost else {
            let method = GoQuote.quoted(ByteView(view.value(of: .method)))
            return Refusal(
                httpStatus: 405, status: .internal,
                message: "Received a HEADERS frame with :method \(method) which should be POST")
        }
        guard summary.method >= 0 else {
            return Refusal(status: .unimplemented, message: unknownMethod(ByteView(view.value(of: .path))))
        }
        guard summary.isCompressed else { return nil }
        let encoding = GoQuote.quoted(ByteView(view.value(of: .grpcEncoding)))
        return Refusal(
            status: .unimplemented,
            message: "grpc: Decompressor is not installed for grpc-encoding \(encoding)", namesEncodings: true)
    }

    private func unknownMethod(_ path: ByteView) -> String {
        let text = String(decoding: path.buffer, as: UTF8.self)
        let name = text.first == "/" ? text.dropFirst() : text[...]
        guard let slash = name.lastIndex(of: "/") else { return "malformed method name: \(GoQuote.quoted(path))" }
        let service = String(name[..<slash])
        guard let methods = decoder.methods, methods.hasService(service) else { return "unknown service \(service)" }
        return "unknown method \(name[name.index(after: slash)...]) for service \(service)"
    }

    /// Answers a request that gets no slot: HEADERS with END_STREAM, and RST_STREAM if its body would follow.
    private mutating func answer(_ number: UInt32, _ refusal: Refusal) -> Event {
        writeTrailersOnly(number, refusal)
        if !headersEndStream {
            guard resets.take(now: now) else { return stop(.enhanceYourCalm, "too many stream errors") }
            writeReset(number, .noError)
        }
        closedStreams.note(number, headersEndStream ? .closedByPeer : .resetHere)
        return noteAnswer()
    }

    /// Ends an open call with an error of the engine's.
    mutating func refuse(_ slot: Int, _ status: GRPCStatus, _ message: String) -> Event {
        let stream = streams.slots[slot]
        let isComplete = stream.remoteEnded
        guard isServer else {
            guard resets.take(now: now) else { return stop(.enhanceYourCalm, "too many stream errors") }
            writeReset(stream.number, .cancel)
            return lose(slot, .refused(status), .resetHere)
        }
        if stream.headersSent {
            writeTrailers(stream.number, status, PercentEncoding.encode(message))
        } else {
            writeTrailersOnly(
                stream.number, Refusal(status: status, message: message, contentType: stream.contentType))
        }
        if !isComplete {
            guard resets.take(now: now) else { return stop(.enhanceYourCalm, "too many stream errors") }
            writeReset(stream.number, .noError)
        }
        return lose(slot, .refused(status), isComplete ? .closedByPeer : .resetHere)
    }

    private mutating func requestTrailersReceived(_ slot: Int) -> Event {
        let stream = streams.slots[slot]
        guard !stream.remoteEnded else { return streamError(stream.number, .streamClosed) }
        guard headersEndStream, !areTrailersMalformed() else { return streamError(stream.number, .protocolError) }
        return streamEnded(slot)
    }

    /// HEADERS for a stream that is over, or whose number was passed over (RFC 9113 §5.1.1).
    private mutating func lateHeadersReceived(_ number: UInt32) -> Event {
        switch closedStreams.how(number) {
        case .resetHere: .nothing
        case .closedByPeer: stop(.streamClosed, "HEADERS on a closed stream")
        case nil: stop(.protocolError, "stream number not above the last")
        }
    }

    var currentHeaders: HeaderView {
        HeaderView(
            fields: decoder.fields, count: decoder.fieldCount, arena: UnsafeRawPointer(decoder.arena),
            statics: decoder.statics.strings)
    }
}
