package import StrakeModel

/// What a watch stream says, without the events: their fields, which every watcher of the same form shares, follow it.
package struct WatchResponse: ResponseBody, Hashable, Sendable {
    package var watchID: Int64
    package var created = false
    package var canceled = false
    package var compactRevision: Int64 = 0
    package var cancelReason = ""
    /// More messages of the same revision follow.
    package var fragment = false

    package init(
        watchID: Int64, created: Bool = false, canceled: Bool = false, compactRevision: Int64 = 0,
        cancelReason: String = "", fragment: Bool = false
    ) {
        self.watchID = watchID
        self.created = created
        self.canceled = canceled
        self.compactRevision = compactRevision
        self.cancelReason = cancelReason
        self.fragment = fragment
    }

    package var fieldsSize: Int {
        ProtobufWriter.size(2, watchID) + ProtobufWriter.size(3, created) + ProtobufWriter.size(4, canceled)
            + ProtobufWriter.size(5, compactRevision) + ProtobufWriter.size(6, cancelReason)
            + ProtobufWriter.size(7, fragment)
    }

    package func encodeFields(to writer: inout ProtobufWriter) {
        writer.field(2, watchID)
        writer.field(3, created)
        writer.field(4, canceled)
        writer.field(5, compactRevision)
        writer.field(6, cancelReason)
        writer.field(7, fragment)
    }
}

/// Why a watch was refused or ended, as etcd puts it.
package enum WatchCancelReason: String, CaseIterable, Sendable {
    case emptyRange = "mvcc: watcher range is empty"
    case duplicateID = "mvcc: duplicate watch ID provided on the WatchStream"
    /// For a start revision below zero. A compacted one has no reason, but a compact revision.
    case compacted = "etcdserver: mvcc: required revision has been compacted"
    // As etcd's gRPC library prints errors of the service.
    case userEmpty = "rpc error: code = InvalidArgument desc = etcdserver: user name is empty"
    case authRevisionOld = "rpc error: code = InvalidArgument desc = etcdserver: revision of auth store is old"
    case invalidAuthToken = "rpc error: code = Unauthenticated desc = etcdserver: invalid auth token"
    case permissionDenied = "rpc error: code = PermissionDenied desc = etcdserver: permission denied"

    /// Of a watch that its client may not have.
    package init(_ denial: StoreError) {
        self =
            switch denial {
            case .userEmpty: .userEmpty
            case .authRevisionOld: .authRevisionOld
            case .invalidAuthToken: .invalidAuthToken
            default: .permissionDenied
            }
    }
}

extension Event {
    private var size: Int {
        ProtobufWriter.size(1, UInt64(kind.rawValue)) + keyValue.fieldSize(2) + (previous?.fieldSize(3) ?? 0)
    }

    /// The event as an element of `WatchResponse.events`, tag and length included.
    package var watchFieldSize: Int { ProtobufWriter.size(11, bytes: size) }

    package func encodeWatchField(to writer: inout ProtobufWriter) {
        writer.prefix(11, bytes: size)
        writer.field(1, UInt64(kind.rawValue))
        keyValue.encode(field: 2, to: &writer)
        previous?.encode(field: 3, to: &writer)
    }

    /// The same in bytes of its own, made once and put into the messages of all watchers.
    package func watchField() -> [UInt8] {
        let size = watchFieldSize
        return [UInt8](unsafeUninitializedCapacity: size) { memory, count in
            var writer = ProtobufWriter(UnsafeMutableRawBufferPointer(memory))
            encodeWatchField(to: &writer)
            precondition(writer.isFull, "an event is shorter than its encoded size of \(size) bytes")
            count = size
        }
    }
}
