// The parts of a command that are requests of the store; the layout is described in Command+Encoding.swift.

extension PutRequest {
    var commandSize: Int {
        1 + CommandWriter.size(bytes: key.count) + CommandWriter.size(bytes: value.count)
            + CommandWriter.size(signed: lease.rawValue)
    }

    func encodeCommand(to writer: inout CommandWriter) {
        writer.byte((wantsPrevious ? 1 : 0) | (ignoreValue ? 2 : 0) | (ignoreLease ? 4 : 0))
        writer.bytes(key)
        writer.bytes(value)
        writer.signed(lease.rawValue)
    }

    init(from reader: inout CommandReader) throws(CommandDecodingError) {
        let flags = try reader.flags(below: 8)
        let key = try reader.bytes()
        let value = try reader.bytes()
        self.init(key: key, value: value, lease: LeaseID(rawValue: try reader.signed()))
        wantsPrevious = flags & 1 != 0
        ignoreValue = flags & 2 != 0
        ignoreLease = flags & 4 != 0
    }
}

extension DeleteRangeRequest {
    var commandSize: Int { 1 + range.commandSize }

    func encodeCommand(to writer: inout CommandWriter) {
        writer.byte(wantsPrevious ? 1 : 0)
        range.encodeCommand(to: &writer)
    }

    init(from reader: inout CommandReader) throws(CommandDecodingError) {
        let flags = try reader.flags(below: 2)
        self.init(range: try KeyRange(from: &reader))
        wantsPrevious = flags & 1 != 0
    }
}

extension KeyRange {
    var commandSize: Int {
        let start = 1 + CommandWriter.size(bytes: lower.count)
        return if case .before(let end) = upper { start + CommandWriter.size(bytes: end.count) } else { start }
    }

    func encodeCommand(to writer: inout CommandWriter) {
        switch upper {
        case .single:
            writer.byte(0)
            writer.bytes(lower)
        case .before(let end):
            writer.byte(1)
            writer.bytes(lower)
            writer.bytes(end)
        case .unbounded:
            writer.byte(2)
            writer.bytes(lower)
        }
    }

    init(from reader: inout CommandReader) throws(CommandDecodingError) {
        let form = try reader.byte()
        let lower = try reader.bytes()
        switch form {
        case 0: self.init(lower: lower, upper: .single)
        case 1: self.init(lower: lower, upper: .before(try reader.bytes()))
        case 2: self.init(lower: lower, upper: .unbounded)
        default: throw .malformed
        }
    }
}

extension RangeRequest {
    var commandSize: Int {
        3 + range.commandSize
            + CommandWriter.size(signed: limit) + CommandWriter.size(signed: revision)
            + CommandWriter.size(signed: minModRevision) + CommandWriter.size(signed: maxModRevision)
            + CommandWriter.size(signed: minCreateRevision) + CommandWriter.size(signed: maxCreateRevision)
    }

    func encodeCommand(to writer: inout CommandWriter) {
        writer.byte((isSerializable ? 1 : 0) | (keysOnly ? 2 : 0) | (countOnly ? 4 : 0))
        range.encodeCommand(to: &writer)
        writer.byte(sortOrder.rawValue)
        writer.byte(sortTarget.rawValue)
        writer.signed(limit)
        writer.signed(revision)
        writer.signed(minModRevision)
        writer.signed(maxModRevision)
        writer.signed(minCreateRevision)
        writer.signed(maxCreateRevision)
    }

    init(from reader: inout CommandReader) throws(CommandDecodingError) {
        let flags = try reader.flags(below: 8)
        self.init(range: try KeyRange(from: &reader))
        guard let order = SortOrder(rawValue: try reader.byte()), let target = SortTarget(rawValue: try reader.byte())
        else { throw .malformed }
        isSerializable = flags & 1 != 0
        keysOnly = flags & 2 != 0
        countOnly = flags & 4 != 0
        sortOrder = order
        sortTarget = target
        limit = try reader.signed()
        revision = try reader.signed()
        minModRevision = try reader.signed()
        maxModRevision = try reader.signed()
        minCreateRevision = try reader.signed()
        maxCreateRevision = try reader.signed()
    }
}
