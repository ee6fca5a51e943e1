internal import StrakeEtcdWire
internal import StrakeModel

/// The unary calls of a workload. Requests are encoded once; each operation only sets its key.
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

    init(_ options: BenchOptions, isPrefill: Bool, connection: Int) {
        self.options = options
        self.isPrefill = isPrefill
        random = options.seed &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(connection) &* 0xD1B5_4A32_D192_ED03 &+ 1
    }

    /// The request of operation `index`.
    mutating func next(_ index: Int) -> (kind: Kind, message: [UInt8]) {
        let key = Self.key(
            isPrefill || options.isSequential ? index % options.keySpace : pick(options.keySpace), options)
        if isPrefill { return (.put, put(key)) }
        switch options.workload {
        case .put, .watch, .watchLatency: return (.put, put(key))
        case .range: return (.range, range(key).encoded())
        case .txnMixed: return (.txn, txn(key))
        case .leaseKeepAlive: preconditionFailure("keep-alives are not unary")
        }
    }

    private func put(_ key: [UInt8]) -> [UInt8] {
        PutRequest(key: key, value: Array(repeating: 0x76, count: options.valueBytes)).encoded()
    }

    private func range(_ key: [UInt8]) -> RangeRequest {
        var request = RangeRequest(range: .key(key))
        request.isSerializable = options.isSerializable
        return request
    }

    private mutating func txn(_ key: [UInt8]) -> [UInt8] {
        let share = options.readsPerWrite / (options.readsPerWrite + 1)
        if Double(pick(1 << 20)) < share * Double(1 << 20) {
            return TxnRequest(success: [.range(range(key))]).encoded()
        }
        let value: [UInt8] = Array(repeating: 0x76, count: options.valueBytes)
        return TxnRequest(success: [.put(PutRequest(key: key, value: value))]).encoded()
    }

    private mutating func pick(_ bound: Int) -> Int {
        random ^= random << 13
        random ^= random >> 7
        random ^= random << 17
        return Int(random % UInt64(bound))
    }

    /// The number in decimal behind zeros: keys of one length that sort as their numbers do.
    static func key(_ number: Int, _ options: BenchOptions) -> [UInt8] {
        var key = [UInt8](repeating: 0x30, count: options.keyBytes)
        var rest = number
        var position = options.keyBytes - 1
        while rest > 0, position >= 0 {
            key[position] = 0x30 + UInt8(rest % 10)
            rest /= 10
            position -= 1
        }
        return key
    }
}
