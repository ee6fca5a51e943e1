internal import StrakeEtcdWire
internal import StrakeHTTP2
internal import StrakeModel
internal import StrakeStore
internal import StrakeWatching

/// A watch stream of a session.
struct WatchStream {
    let id: StreamID
    let session: Session
    /// It was found full; the session says when it has drained.
    var awaitsRoom = false
}

/// Where a loop's watchers get their responses: encoded once, copied into each stream's output.
struct WatchSink: WatchConsumer {
    /// Bytes queued on a stream above which its watchers hold no more events and replay later.
    static let streamBytesMax = 128 << 10
    /// Bytes waiting for a socket that takes none, above which its streams count as full.
    static let socketBytesMax = 256 << 10

    /// What gRPC of Go, at either end, sends and takes at most.
    static let messageBytesMax = Int(Int32.max)

    private let service: Service
    var streams: [StreamKey: WatchStream] = [:]
    /// The revision in the headers of what is being sent.
    var revision: Int64 = 0
    /// What the turn in hand has sent.
    private var turn = WatchTurn()
    private var events: (any WatchEvents)?
    /// Encoded events of the batch in hand, by position; with and without the previous key.
    private var plain: [Int: [UInt8]] = [:]
    private var withPrevious: [Int: [UInt8]] = [:]

    init(service: Service) {
        self.service = service
    }

    mutating func beginTurn() { turn = WatchTurn() }

    /// Mutating, or the loop would copy the sink for the call.
    mutating func endTurn() { turn.end(in: service.metrics.watchSends) }

    mutating func begin(_ events: (any WatchEvents)?, revision: Int64) {
        self.events = events
        self.revision = revision
    }

    mutating func end() {
        events = nil
        plain.removeAll(keepingCapacity: true)
        withPrevious.removeAll(keepingCapacity: true)
    }

    // MARK: WatchConsumer

    mutating func deliver(_ delivery: inout Delivery) {
        let parts = payloads(of: delivery)
        let header = service.header(revision: revision)
        var (sent, served) = (0, 0)
        for index in delivery.watchers.indices {
            let watcher = delivery.watchers[index]
            guard let stream = streams[watcher.stream] else { continue }
            if isFull(stream) {
                delivery.refuse(at: index)
                awaitRoom(of: watcher.stream)
                continue
            }
            served += 1
            for (number, payload) in parts.enumerated() {
                let isPart = number < parts.count - 1
                let prefix = Response(header, WatchResponse(watchID: watcher.watchID, fragment: isPart))
                if send(prefix, payload, to: stream) { sent += 1 }
            }
        }
        if sent > 0 {
            countSent(sent)
            turn.add(responses: sent, events: served * delivery.positions.count)
        }
        service.metrics.watchEvents.add(delivery.positions.count * delivery.watchers.count)
    }

    mutating func cancel(_ watcher: WatcherID, compactRevision: Int64) {
        // etcd leaves the revision out of this header.
        send(
            WatchResponse(watchID: watcher.watchID, canceled: true, compactRevision: compactRevision), .control,
            revision: 0, to: watcher.stream)
    }

    mutating func progress(of watcher: WatcherID, revision: Int64) {
        if let stream = streams[watcher.stream], isFull(stream) { return }
        send(WatchResponse(watchID: watcher.watchID), .progress, revision: revision, to: watcher.stream)
    }

    mutating func progress(of stream: StreamKey, revision: Int64) {
        send(WatchResponse(watchID: -1), .progress, revision: revision, to: stream)
    }

    // MARK: Sending

    mutating func send(_ response: WatchResponse, _ kind: WatchTurn.Kind, revision: Int64, to key: StreamKey) {
        guard let stream = streams[key] else { return }
        guard send(Response(service.header(revision: revision), response), [], to: stream) else { return }
        countSent(1)
        turn.add(kind)
    }

    /// All streams are of one loop.
    private func countSent(_ count: Int) {
        streams.values.first?.session.loop.tally.add(.sent, of: .watch, count)
    }

    /// - Returns: False when the call has ended meanwhile.
    private func send(_ prefix: Response<WatchResponse>, _ payload: [UInt8], to stream: WatchStream) -> Bool {
        let head = prefix.encodedSize
        let count = head + payload.count
        guard count <= Self.messageBytesMax else {
            // A revision that is as large, for a watcher that takes no fragments.
            let text = "grpc: trying to send message larger than max (\(count) vs. \(Self.messageBytesMax))"
            stream.session.finish(stream.id, EtcdStatus(code: .resourceExhausted, message: text))
            return false
        }
        let engine = stream.session.engine
        guard let memory = engine.beginMessage(stream.id, bytesMax: count) else { return false }
        var writer = ProtobufWriter(UnsafeMutableRawBufferPointer(rebasing: memory[..<head]))
        prefix.encode(to: &writer)
        payload.withUnsafeBytes { bytes in
            UnsafeMutableRawBufferPointer(rebasing: memory[head...]).copyMemory(from: bytes)
        }
        engine.endMessage(stream.id, count: count)
        stream.session.loop.touch(stream.session)
        if engine.outputCount > Self.socketBytesMax { stream.session.writeOutput() }
        return true
    }

    private func isFull(_ stream: WatchStream) -> Bool {
        if stream.awaitsRoom { return true }
        let engine = stream.session.engine
        if engine.queuedBytes(stream.id) > Self.streamBytesMax { return true }
        return engine.outputCount > Self.socketBytesMax
    }

    private mutating func awaitRoom(of key: StreamKey) {
        guard let stream = streams[key], !stream.awaitsRoom else { return }
        streams[key]!.awaitsRoom = true
        stream.session.engine.requestWrite(stream.id)
    }

    // MARK: Encoding

    /// The delivery's events as the wire has them: one run of bytes, or several where fragments are wanted and needed.
    private mutating func payloads(of delivery: Delivery) -> [[UInt8]] {
        let isPrevious = delivery.form.contains(.previous)
        let limit = delivery.form.contains(.fragment) ? fragmentBytesMax : .max
        if delivery.positions.count == 1 { return [encoded(delivery.positions.first!, isPrevious)] }
        var parts: [[UInt8]] = [[]]
        for position in delivery.positions {
            let bytes = encoded(position, isPrevious)
            if !parts[parts.count - 1].isEmpty, parts[parts.count - 1].count + bytes.count > limit { parts.append([]) }
            parts[parts.count - 1] += bytes
        }
        return parts
    }

    private var fragmentBytesMax: Int { service.options.requestBytesMax + ServiceOptions.requestOverheadBytes }

    private mutating func encoded(_ position: Int, _ isPrevious: Bool) -> [UInt8] {
        if let known = isPrevious ? withPrevious[position] : plain[position] { return known }
        guard let events else { preconditionFailure("a delivery outside a batch") }
        let bytes = events.event(at: position, withPrevious: isPrevious).watchField()
        if isPrevious { withPrevious[position] = bytes } else { plain[position] = bytes }
        return bytes
    }
}
