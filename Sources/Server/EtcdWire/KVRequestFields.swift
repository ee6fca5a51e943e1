internal import StrakeModel

// Requests as they stand on the wire: byte fields in place, numbers of enums as they came.

struct RangeRequestFields: WireFields {
    var key = UnsafeRawBufferPointer(start: nil, count: 0)
    var rangeEnd = UnsafeRawBufferPointer(start: nil, count: 0)
    var limit: Int64 = 0
    var revision: Int64 = 0
    var sortOrder: Int32 = 0
    var sortTarget: Int32 = 0
    var isSerializable = false
    var keysOnly = false
    var countOnly = false
    var minModRevision: Int64 = 0
    var maxModRevision: Int64 = 0
    var minCreateRevision: Int64 = 0
    var maxCreateRevision: Int64 = 0

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.bytes(1): key = try reader.bytes()
        case Tag.bytes(2): rangeEnd = try reader.bytes()
        case Tag.varint(3): limit = try reader.int64()
        case Tag.varint(4): revision = try reader.int64()
        case Tag.varint(5): sortOrder = try reader.int32()
        case Tag.varint(6): sortTarget = try reader.int32()
        case Tag.varint(7): isSerializable = try reader.bool()
        case Tag.varint(8): keysOnly = try reader.bool()
        case Tag.varint(9): countOnly = try reader.bool()
        case Tag.varint(10): minModRevision = try reader.int64()
        case Tag.varint(11): maxModRevision = try reader.int64()
        case Tag.varint(12): minCreateRevision = try reader.int64()
        case Tag.varint(13): maxCreateRevision = try reader.int64()
        default: try reader.skip(tag)
        }
    }

    /// The request. A sort option outside the schema is left at its default, for `hasInvalidSort` to tell.
    var request: RangeRequest {
        var request = RangeRequest(range: KeyRange(key: key, rangeEnd: rangeEnd))
        request.limit = limit
        request.revision = revision
        request.sortOrder = UInt8(exactly: sortOrder).flatMap(RangeRequest.SortOrder.init) ?? .none
        request.sortTarget = UInt8(exactly: sortTarget).flatMap(RangeRequest.SortTarget.init) ?? .key
        request.isSerializable = isSerializable
        request.keysOnly = keysOnly
        request.countOnly = countOnly
        request.minModRevision = minModRevision
        request.maxModRevision = maxModRevision
        request.minCreateRevision = minCreateRevision
        request.maxCreateRevision = maxCreateRevision
        return request
    }

    /// etcd looks at the key first: without one, that is what the client hears of.
    var hasInvalidSort: Bool { !(0...2).contains(sortOrder) || !(0...4).contains(sortTarget) }
    var error: StoreError? { hasInvalidSort && !key.isEmpty ? .invalidSortOption : nil }
}

struct PutRequestFields: WireFields {
    var key = UnsafeRawBufferPointer(start: nil, count: 0)
    var value = UnsafeRawBufferPointer(start: nil, count: 0)
    var lease: Int64 = 0
    var wantsPrevious = false
    var ignoreValue = false
    var ignoreLease = false

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.bytes(1): key = try reader.bytes()
        case Tag.bytes(2): value = try reader.bytes()
        case Tag.varint(3): lease = try reader.int64()
        case Tag.varint(4): wantsPrevious = try reader.bool()
        case Tag.varint(5): ignoreValue = try reader.bool()
        case Tag.varint(6): ignoreLease = try reader.bool()
        default: try reader.skip(tag)
        }
    }

    var request: PutRequest {
        var request = PutRequest(key: [UInt8](key), value: [UInt8](value), lease: LeaseID(rawValue: lease))
        request.wantsPrevious = wantsPrevious
        request.ignoreValue = ignoreValue
        request.ignoreLease = ignoreLease
        return request
    }
}

struct DeleteRangeRequestFields: WireFields {
    var key = UnsafeRawBufferPointer(start: nil, count: 0)
    var rangeEnd = UnsafeRawBufferPointer(start: nil, count: 0)
    var wantsPrevious = false

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.bytes(1): key = try reader.bytes()
        case Tag.bytes(2): rangeEnd = try reader.bytes()
        case Tag.varint(3): wantsPrevious = try reader.bool()
        default: try reader.skip(tag)
        }
    }

    var request: DeleteRangeRequest {
        var request = DeleteRangeRequest(range: KeyRange(key: key, rangeEnd: rangeEnd))
        request.wantsPrevious = wantsPrevious
        return request
    }
}

struct CompareFields: WireFields {
    enum Operand {
        case version(Int64)
        case createRevision(Int64)
        case modRevision(Int64)
        case value(UnsafeRawBufferPointer)
        case lease(Int64)
    }

    var result: Int32 = 0
    var target: Int32 = 0
    var key = UnsafeRawBufferPointer(start: nil, count: 0)
    var rangeEnd = UnsafeRawBufferPointer(start: nil, count: 0)
    var operand: Operand?

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.varint(1): result = try reader.int32()
        case Tag.varint(2): target = try reader.int32()
        case Tag.bytes(3): key = try reader.bytes()
        case Tag.varint(4): operand = .version(try reader.int64())
        case Tag.varint(5): operand = .createRevision(try reader.int64())
        case Tag.varint(6): operand = .modRevision(try reader.int64())
        case Tag.bytes(7): operand = .value(try reader.bytes())
        case Tag.varint(8): operand = .lease(try reader.int64())
        case Tag.bytes(64): rangeEnd = try reader.bytes()
        default: try reader.skip(tag)
        }
    }

    var compare: Compare {
        let range = KeyRange(key: key, rangeEnd: rangeEnd)
        guard let target = modelTarget else {
            // etcd takes a key to be equal in a target that it does not know. Versions are never negative, so this
            // holds for every key, there or not, where equality was asked for, and for none otherwise.
            let holds = result == 0 || !(0...3).contains(result)
            return Compare(range: range, result: holds ? .greater : .less, target: .version(-1))
        }
        if let result = UInt8(exactly: result).flatMap(Compare.Result.init) {
            return Compare(range: range, result: result, target: target)
        }
        // etcd lets a comparison that it does not know hold, except that a value is never compared to a missing key.
        let version: Int64 = if case .value = target { 0 } else { -1 }
        return Compare(range: range, result: .greater, target: .version(version))
    }

    /// What is compared. An operand of another kind than the target's counts as not given, and that as zero.
    private var modelTarget: Compare.Target? {
        switch target {
        case 0: if case .version(let number) = operand { .version(number) } else { .version(0) }
        case 1: if case .createRevision(let number) = operand { .createRevision(number) } else { .createRevision(0) }
        case 2: if case .modRevision(let number) = operand { .modRevision(number) } else { .modRevision(0) }
        case 3: if case .value(let value) = operand { .value([UInt8](value)) } else { .value([]) }
        case 4: if case .lease(let id) = operand { .lease(LeaseID(rawValue: id)) } else { .lease(.none) }
        default: nil
        }
    }
}

extension KeyRange {
    init(key: UnsafeRawBufferPointer, rangeEnd: UnsafeRawBufferPointer) {
        if rangeEnd.isEmpty {
            self.init(lower: [UInt8](key), upper: .single)
        } else if rangeEnd.count == 1, rangeEnd[0] == 0 {
            self.init(lower: [UInt8](key), upper: .unbounded)
        } else {
            self.init(lower: [UInt8](key), upper: .before([UInt8](rangeEnd)))
        }
    }
}
