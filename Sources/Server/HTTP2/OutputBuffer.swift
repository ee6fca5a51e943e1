/// The bytes on their way to the socket: one growable buffer, appended at the end and consumed at the front, whose memory
/// is reused.
///
/// Places are *positions*, counted from the connection's first byte, so that a frame header can be mended later whatever
/// has been consumed or moved meanwhile.
struct OutputBuffer: ~Copyable {
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    /// Position of `base`.
    private var origin = 0
    /// Position of the first byte not consumed.
    private var start = 0
    /// Position behind the last byte. Invariant: `origin <= start <= end <= origin + capacity`.
    private(set) var end = 0

    private static let capacityMin = 1_024
    /// Above this the memory goes back, when it was not needed for a while: one large answer must not cost for ever.
    private static let capacityKept = 64 << 10
    private static let smallRoundsMax = 32
    /// Times in a row that the buffer ran empty without having needed a quarter of its memory.
    private var smallRounds = 0

    init() {
        capacity = Self.capacityMin
        base = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit {
        base.deallocate()
    }

    var count: Int { end - start }

    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + (start - origin), count: end - start)
    }

    /// The memory at `position`. Valid until the next `reserve`.
    @inline(__always)
    func pointer(at position: Int) -> UnsafeMutableRawPointer {
        precondition(position >= origin && position <= origin + capacity, "position outside the buffer")
        return base + (position - origin)
    }

    /// Makes room for `byteCount` bytes behind `end`.
    @inline(__always)
    mutating func reserve(_ byteCount: Int) {
        if capacity - (end - origin) < byteCount { grow(byteCount) }
    }

    @inline(never)
    private mutating func grow(_ byteCount: Int) {
        let used = end - start
        let needed = used + byteCount
        if needed <= capacity / 2 {
            base.copyMemory(from: base + (start - origin), byteCount: used)
        } else {
            capacity = max(capacity * 2, needed + needed / 4)
            let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
            larger.copyMemory(from: base + (start - origin), byteCount: used)
            base.deallocate()
            base = larger
        }
        origin = start
    }

    /// Takes `byteCount` reserved and written bytes in.
    @inline(__always)
    mutating func advance(_ byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= capacity - (end - origin), "more bytes than reserved")
        end += byteCount
    }

    mutating func truncate(to position: Int) {
        precondition(position >= start && position <= end, "truncation outside the buffer")
        end = position
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        reserve(1)
        pointer(at: end).storeBytes(of: byte, as: UInt8.self)
        end += 1
    }

    @inline(__always)
    mutating func append(_ source: UnsafeRawPointer, count byteCount: Int) {
        reserve(byteCount)
        pointer(at: end).copyMemory(from: source, byteCount: byteCount)
        end += byteCount
    }

    mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { source in
            guard let address = source.baseAddress else { return }
            append(address, count: source.count)
        }
    }

    @inline(__always)
    mutating func appendBigEndian(_ value: UInt32) {
        reserve(4)
        pointer(at: end).storeBytes(of: value.bigEndian, as: UInt32.self)
        end += 4
    }

    mutating func appendBigEndian(_ value: UInt64) {
        appendBigEndian(UInt32(truncatingIfNeeded: value >> 32))
        appendBigEndian(UInt32(truncatingIfNeeded: value))
    }

    /// Drops `byteCount` bytes from the front.
    mutating func consume(_ byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= count, "consumed more than there is")
        start += byteCount
        if start == end { ranEmpty() }
    }

    private mutating func ranEmpty() {
        let used = end - origin
        origin = end
        guard capacity > Self.capacityKept, used < capacity / 4 else {
            smallRounds = 0
            return
        }
        smallRounds += 1
        guard smallRounds > Self.smallRoundsMax else { return }
        smallRounds = 0
        base.deallocate()
        capacity = Self.capacityKept
        base = .allocate(byteCount: capacity, alignment: 16)
    }
}
