package import StrakeModel

extension RangeResponse: ResponseBody {
    package var fieldsSize: Int {
        var size = RangeParts.tailSize(more: more, count: count)
        for keyValue in keyValues { size += keyValue.fieldSize(2) }
        return size
    }

    package func encodeFields(to writer: inout ProtobufWriter) {
        for keyValue in keyValues { keyValue.encode(field: 2, to: &writer) }
        RangeParts.encodeTail(more: more, count: count, to: &writer)
    }
}

extension PutResponse: ResponseBody {
    package var fieldsSize: Int { previous?.fieldSize(2) ?? 0 }

    package func encodeFields(to writer: inout ProtobufWriter) {
        previous?.encode(field: 2, to: &writer)
    }
}

extension DeleteRangeResponse: ResponseBody {
    package var fieldsSize: Int {
        var size = ProtobufWriter.size(2, deleted)
        for keyValue in previous { size += keyValue.fieldSize(3) }
        return size
    }

    package func encodeFields(to writer: inout ProtobufWriter) {
        writer.field(2, deleted)
        for keyValue in previous { keyValue.encode(field: 3, to: &writer) }
    }
}
