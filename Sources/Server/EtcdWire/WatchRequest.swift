package import StrakeModel

/// What a client says on a watch stream.
package enum WatchRequest: Hashable, Sendable {
    case create(WatchCreateRequest)
    case cancel(watchID: Int64)
    case progress
    /// A message without any of these; etcd passes over it.
    case none
}

/// Asks for a watcher.
package struct WatchCreateRequest: Hashable, Sendable {
    package var range: KeyRange
    /// The first revision to deliver; zero: what comes after now.
    package var startRevision: Int64 = 0
    package var progressNotify = false
    /// Leave out puts, or deletes.
    package var noPut = false
    package var noDelete = false
    package var wantsPrevious = false
    /// Zero: the server chooses.
    package var watchID: Int64 = 0
    /// Large revisions may come in several messages.
    package var fragment = false

    package init(range: KeyRange) {
        self.range = range
    }
}

extension WatchRequest {
    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) {
        let fields = try WatchRequestFields(request: bytes)
        self =
            switch fields.content {
            case .create(let create): .create(create.request)
            case .cancel(let cancel): .cancel(watchID: cancel.watchID)
            case .progress: .progress
            case .none: .none
            }
    }
}

private struct WatchRequestFields: WireFields {
    enum Content {
        case none
        case create(WatchCreateRequestFields)
        case cancel(WatchCancelRequestFields)
        case progress
    }

    var content = Content.none

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.bytes(1):
            var fields = if case .create(let fields) = content { fields } else { WatchCreateRequestFields() }
            try fields.read(try reader.bytes())
            content = .create(fields)
        case Tag.bytes(2):
            var fields = if case .cancel(let fields) = content { fields } else { WatchCancelRequestFields() }
            try fields.read(try reader.bytes())
            content = .cancel(fields)
        case Tag.bytes(3):
            _ = try EmptyRequest(try reader.bytes())
            content = .progress
        default: try reader.skip(tag)
        }
    }
}

private struct WatchCancelRequestFields: WireFields {
    var watchID: Int64 = 0

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        if tag == Tag.varint(1) { watchID = try reader.int64() } else { try reader.skip(tag) }
    }
}

private struct WatchCreateRequestFields: WireFields {
    var key = UnsafeRawBufferPointer(start: nil, count: 0)
    var rangeEnd = UnsafeRawBufferPointer(start: nil, count: 0)
    var startRevision: Int64 = 0
    var progressNotify = false
    var noPut = false
    var noDelete = false
    var wantsPrevious = false
    var watchID: Int64 = 0
    var fragment = false

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.bytes(1): key = try reader.bytes()
        case Tag.bytes(2): rangeEnd = try reader.bytes()
        case Tag.varint(3): startRevision = try reader.int64()
        case Tag.varint(4): progressNotify = try reader.bool()
        case Tag.varint(5): filter(try reader.int32())
        case Tag.bytes(5):
            // A list of numbers comes packed or one by one, as the sender likes.
            var list = ProtobufReader(try reader.bytes())
            while !list.isAtEnd { filter(try list.int32()) }
        case Tag.varint(6): wantsPrevious = try reader.bool()
        case Tag.varint(7): watchID = try reader.int64()
        case Tag.varint(8): fragment = try reader.bool()
        default: try reader.skip(tag)
        }
    }

    private mutating func filter(_ number: Int32) {
        switch number {
        case 0: noPut = true
        case 1: noDelete = true
        default: break  // etcd passes over filters that it does not know.
        }
    }

    var request: WatchCreateRequest {
        var range = KeyRange(key: key, rangeEnd: rangeEnd)
        // No key means the first key there can be.
        if range.lower.isEmpty { range.lower = [0] }
        var request = WatchCreateRequest(range: range)
        request.startRevision = startRevision
        request.progressNotify = progressNotify
        request.noPut = noPut
        request.noDelete = noDelete
        request.wantsPrevious = wantsPrevious
        request.watchID = watchID
        request.fragment = fragment
        return request
    }
}
