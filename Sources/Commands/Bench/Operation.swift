internal import StrakeEtcdWire
internal import StrakeModel

/// The unary calls of a workload. Each request is encoded once; an operation only sets its key.
struct OperationSource: Sendable {
    enum Kind: Int, CaseIterable, Sendable {
        case put, range, txn

        var path: String {
            switch self {
            case .put: "/etcdserverpb.KV/Put"
            case .range: "/etcdserverpb.KV/Range"
            case .txn: "/etcdserverpb.KV/Txn"
            }
        }
    }

    private let options: BenchOptions
    private let isPrefill: Bool
    private var random: UInt64
    private var put: KeyedRequest
    private var range: KeyedRequest
    private var txnOfRange: KeyedRequest
    private var txnOfPut: KeyedRequest

    init(_ options: BenchOptions, isPrefill: Bool, connection: Int) {
        self.options = options
        self.isPrefill = isPrefill
        random = options.seed &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(connection) &* 0xD1B5_4A32_D192_ED03 &+ 1
        let key = KeyedRequest.zeroKey(options.keyBytes)
        let write = PutRequest(key: key, value: Array(repeating: 0x76, count: options.valueBytes))
        var read = RangeRequest(range: .key(key))
        read.isSerializable = options.isSerializable
        put = KeyedRequest(write.encoded(), keyBytes: options.keyBytes)
        range = KeyedRequest(read.encoded(), keyBytes: options.keyBytes)
        txnOfRange = KeyedRequest(TxnRequest(success: [.range(read)]).encoded(), keyBytes: options.keyBytes)
        txnOfPut = KeyedRequest(TxnRequest(success: [.put(write)]).encoded(), keyBytes: options.keyBytes)
    }

    /// Lends the request of operation `index`.
    mutating func withNext<R>(_ index: Int, _ body: (Kind, UnsafeRawBufferPointer) -> R) -> R {
        let key = isPrefill || options.isSequential ? index % options.keySpace : pick(options.keySpace)
        if isPrefill { return put.with(key) { body(.put, $0) } }
        switch options.workload {
        case .put, .watch, .watchLatency: return put.with(key) { body(.put, $0) }
        case .range: return range.with(key) { body(.range, $0) }
        case .txnMixed:
            let share = options.readsPerWrite / (options.readsPerWrite + 1)
            return Double(pick(1 << 20)) < share * Double(1 << 20)
                ? txnOfRange.with(key) { body(.txn, $0) } : txnOfPut.with(key) { body(.txn, $0) }
        case .leaseKeepAlive: preconditionFailure("keep-alives are not unary")
        }
    }

    private mutating func pick(_ bound: Int) -> Int {
        random ^= random << 13
        random ^= random >> 7
        random ^= random << 17
        return Int(random % UInt64(bound))
    }
}

/// An encoded request whose key is set anew for each operation.
struct KeyedRequest: Sendable {
    private var bytes: [UInt8]
    private let keyOffset: Int
    private let keyBytes: Int

    /// - Parameter bytes: A request whose key is `zeroKey` of this length.
    init(_ bytes: [UInt8], keyBytes: Int) {
        self.bytes = bytes
        self.keyBytes = keyBytes
        let zeroKey = Self.zeroKey(keyBytes)
        let offset = bytes.indices.first { bytes[$0...].starts(with: zeroKey) }
        guard let offset else { preconditionFailure("a request without its key") }
        keyOffset = offset
    }

    /// The key of number 0. Its digits occur in no value, so that it is found where the key is.
    static func zeroKey(_ keyBytes: Int) -> [UInt8] { Array(repeating: 0x30, count: keyBytes) }

    mutating func with<R>(_ number: Int, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        Self.write(number, to: &bytes, at: keyOffset..<keyOffset + keyBytes)
        return bytes.withUnsafeBytes(body)
    }

    /// The number in decimal behind zeros: keys of one length that sort as their numbers do.
    static func key(_ number: Int, _ options: BenchOptions) -> [UInt8] {
        var key = zeroKey(options.keyBytes)
        write(number, to: &key, at: key.indices)
        return key
    }

    private static func write(_ number: Int, to bytes: inout [UInt8], at place: Range<Int>) {
        var rest = number
        for position in place.reversed() {
            bytes[position] = 0x30 + UInt8(rest % 10)
            rest /= 10
        }
    }
}
