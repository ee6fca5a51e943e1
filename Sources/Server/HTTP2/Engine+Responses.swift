extension Engine {
    /// A header block of one of our streams: interim, final, or trailers.
    mutating func responseReceived(_ number: UInt32) -> Event {
        // Streams reset here get their answers all the same, long after.
        guard let slot = streams.find(number) else { return .nothing }
        let stream = streams.slots + slot
        guard !stream.pointee.remoteEnded else { return streamError(number, .streamClosed) }
        guard !decoder.isListTooLong else { return refuse(slot, .resourceExhausted, "") }
        if stream.pointee.hasResponse { return responseTrailersReceived(slot) }
        guard let status = responseStatus() else { return streamError(number, .protocolError) }
        if status < 200 {
            // Interim (RFC 9113 §8.1): nothing to do with it, and it cannot be the end.
            return headersEndStream ? streamError(number, .protocolError) : .nothing
        }
        stream.pointee.hasResponse = true
        if stream.pointee.isGRPC { stream.pointee.remoteEnded = headersEndStream }
        head = (-1, .max, headersEndStream, status)
        let id = StreamID(number: number, slot: UInt32(slot))
        if stream.pointee.isGRPC {
            if headersEndStream { return complete(slot, grpcStatus() ?? GRPCStatus(httpStatus: status)) }
            guard status == 200, hasGRPCContentType else {
                // Not a gRPC server: its body says nothing to us.
                return complete(slot, GRPCStatus(httpStatus: status))
            }
        } else {
            stream.pointee.contentLength = headersEndStream ? -1 : contentLength
        }
        if headersEndStream { pendingEnd = id }
        return .responseOpened(id)
    }

    private mutating func responseTrailersReceived(_ slot: Int) -> Event {
        let number = streams.slots[slot].number
        guard headersEndStream, !areTrailersMalformed() else { return streamError(number, .protocolError) }
        head = (-1, .max, true, 0)
        guard streams.slots[slot].isGRPC else { return streamEnded(slot) }
        streams.slots[slot].remoteEnded = true
        if streams.slots[slot].prefixCount > 0 { return complete(slot, grpcStatus().flatMap(Self.failed) ?? .internal) }
        return complete(slot, grpcStatus() ?? .unknown)
    }

    private static func failed(_ status: GRPCStatus) -> GRPCStatus? { status == .ok ? nil : status }

    /// END_STREAM on DATA: a gRPC call without trailers, which grpc-go reports as INTERNAL.
    mutating func completeWithoutTrailers(_ slot: Int) -> Event {
        clearHead()
        return complete(slot, .internal)
    }

    /// The call is over: its slot is free before the callback, which may want to open the next.
    private mutating func complete(_ slot: Int, _ status: GRPCStatus) -> Event {
        let stream = streams.slots[slot]
        let id = StreamID(number: stream.number, slot: UInt32(slot))
        let isComplete = stream.localEnded && stream.remoteEnded
        if !isComplete { writeReset(stream.number, stream.remoteEnded ? .noError : .cancel) }
        close(slot, isComplete ? .closedByPeer : .resetHere)
        isCallUnprocessed = false
        return .completed(id, status)
    }

    /// Nil if the block is no response's (RFC 9113 §8.3.2).
    private func responseStatus() -> Int? {
        var status: Int?
        for index in 0..<decoder.fieldCount {
            let field = decoder.fields[index]
            if field.isMalformed || field.name == .connectionSpecific { return nil }
            guard field.name.isPseudo else { continue }
            guard field.name == .status, index == 0, field.resolved >= 100 else { return nil }
            status = Int(field.resolved)
        }
        return status
    }

    private func grpcStatus() -> GRPCStatus? {
        for index in 0..<decoder.fieldCount where decoder.fields[index].name == .grpcStatus {
            return GRPCStatus(rawValue: Int(decoder.fields[index].resolved)) ?? .unknown
        }
        return nil
    }

    private var hasGRPCContentType: Bool {
        for index in 0..<decoder.fieldCount where decoder.fields[index].name == .contentType {
            return decoder.fields[index].resolved != HeaderValue.contentTypeOther
        }
        return false
    }

    private var contentLength: Int64 {
        for index in 0..<decoder.fieldCount where decoder.fields[index].name == .contentLength {
            return decoder.fields[index].resolved
        }
        return -1
    }

    /// For calls that end without a header block: `ResponseHead` is empty then.
    mutating func clearHead() {
        decoder.clearFields()
        head = (-1, .max, true, 0)
    }
}
