internal import StrakeModel

extension WatchRequest: WireMessage {
    package var encodedSize: Int {
        switch self {
        case .create(let create): ProtobufWriter.size(1, bytes: create.encodedSize)
        case .cancel(let watchID): ProtobufWriter.size(2, bytes: ProtobufWriter.size(1, watchID))
        case .progress: ProtobufWriter.size(3, bytes: 0)
        case .none: 0
        }
    }

    package func encode(to writer: inout ProtobufWriter) {
        switch self {
        case .create(let create): create.encode(field: 1, to: &writer)
        case .cancel(let watchID):
            writer.prefix(2, bytes: ProtobufWriter.size(1, watchID))
            writer.field(1, watchID)
        case .progress: writer.prefix(3, bytes: 0)
        case .none: break
        }
    }
}

extension WatchCreateRequest: WireMessage {
    /// The numbers of the filters, packed.
    private var filters: [UInt8] { (noPut ? [0] : []) + (noDelete ? [1] : []) }

    package var encodedSize: Int {
        ProtobufWriter.size(1, range.lower) + ProtobufWriter.size(2, range.rangeEnd)
            + ProtobufWriter.size(3, startRevision)
            + ProtobufWriter.size(4, progressNotify) + ProtobufWriter.size(5, filters)
            + ProtobufWriter.size(6, wantsPrevious) + ProtobufWriter.size(7, watchID) + ProtobufWriter.size(8, fragment)
    }

    package func encode(to writer: inout ProtobufWriter) {
        writer.field(1, range.lower)
        writer.field(2, range.rangeEnd)
        writer.field(3, startRevision)
        writer.field(4, progressNotify)
        writer.field(5, filters)
        writer.field(6, wantsPrevious)
        writer.field(7, watchID)
        writer.field(8, fragment)
    }
}
