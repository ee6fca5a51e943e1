internal import Glibc

/// Writes over the zeros of a file past the page cache: what is written is on the disk's side at once, so a sync after it
/// has only to flush the disk's own cache. Pieces gather until then, for each write waits for the disk. Whole blocks are
/// written, as the page cache would write them, and the last one is kept, so that what is appended reads nothing.
///
/// Not every file system can do it, and none can where it asks for larger blocks than ours; then there is no writer, or
/// it gives up, and the page cache serves. One file goes one way: pages that went past the cache have to be read again
/// before a part of them can be written through it.
///
/// The memory is its own, so it may change threads.
struct DirectWriter: ~Copyable, @unchecked Sendable {
    /// A page: a multiple of what disks and file systems ask of offset, length and memory.
    static let blockBytes = 4_096
    private static let bufferBytes = 64 << 10
    /// What may gather; a longer piece is written by itself. Buffers up to this size are kept.
    private static let gatheredBytesMax = 1 << 20
    /// `O_DIRECT`, which the module of libc does not show.
    #if arch(arm64)
        private static let direct: Int32 = 0o200_000
    #else
        private static let direct: Int32 = 0o40_000
    #endif

    private let descriptor: Int32
    /// The file had this size; only blocks that lie in it whole are written.
    private let size: Int
    /// Begins with the block in which the gathered pieces begin.
    private var buffer: UnsafeMutableRawBufferPointer
    /// Where the pieces that have gathered belong in the file.
    private(set) var gathered = 0..<0
    /// The last block that was written, and where it lies in the file.
    private let tail: UnsafeMutableRawBufferPointer
    private var tailOffset: Int?

    /// - Parameter file: A descriptor of the file that goes through the page cache. It stays the caller's.
    init?(_ file: Int32, size: Int) {
        // By the descriptor and not by a name, which the file may have lost since.
        let descriptor = open("/proc/self/fd/\(file)", O_RDWR | Self.direct | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        self.descriptor = descriptor
        self.size = size
        buffer = .allocate(byteCount: Self.bufferBytes, alignment: Self.blockBytes)
        tail = .allocate(byteCount: Self.blockBytes, alignment: Self.blockBytes)
    }

    deinit {
        close(descriptor)
        buffer.deallocate()
        tail.deallocate()
    }

    /// Forgets what the file held there: it is being written by another way.
    mutating func forget(_ range: Range<Int>) {
        if let tailOffset, range.overlaps(tailOffset..<tailOffset + Self.blockBytes) { self.tailOffset = nil }
    }

    /// A piece that the writer takes.
    func takes(_ piece: Range<Int>) -> Bool { !piece.isEmpty && Self.blocks(of: piece).upperBound <= size }

    /// The piece can be taken before what has gathered is written.
    func hasRoom(for piece: Range<Int>) -> Bool {
        gathered.isEmpty
            || piece.lowerBound == gathered.upperBound
                && piece.upperBound - gathered.lowerBound <= Self.gatheredBytesMax
    }

    /// - Parameters:
    ///   - bytes: A piece that the writer takes and has room for, with nothing but zeros behind it in the file.
    ///   - file: Where the first block is read if it is not the last that was written.
    /// - Returns: It is taken. If not, the writer cannot go on, and the page cache has to serve.
    mutating func append(_ bytes: UnsafeRawBufferPointer, at offset: Int, reading file: Int32) -> Bool {
        let piece = offset..<offset + bytes.count
        precondition(takes(piece) && hasRoom(for: piece), "\(piece) of \(size) bytes behind \(gathered)")
        let whole = (gathered.isEmpty ? piece.lowerBound : gathered.lowerBound)..<piece.upperBound
        let blocks = Self.blocks(of: whole)
        makeRoom(blocks.count)
        if gathered.isEmpty, !load(blocks.lowerBound, reading: file) { return false }
        UnsafeMutableRawBufferPointer(rebasing: buffer[(offset - blocks.lowerBound)...]).copyMemory(from: bytes)
        gathered = whole
        return true
    }

    /// Writes what has gathered.
    ///
    /// - Returns: It is written. If not, the writer cannot go on, and the page cache has to serve.
    /// - Throws: The `errno` of the write that failed.
    mutating func flush() throws(DirectWriteError) -> Bool {
        guard !gathered.isEmpty else { return true }
        let blocks = Self.blocks(of: gathered)
        let rest = (gathered.upperBound - blocks.lowerBound)..<blocks.count
        _ = UnsafeMutableRawBufferPointer(rebasing: buffer[rest]).initializeMemory(as: UInt8.self, repeating: 0)
        tailOffset = nil
        let written = pwrite(descriptor, buffer.baseAddress, blocks.count, off_t(blocks.lowerBound))
        guard written == blocks.count else {
            // Cut short by a signal or a limit: the page cache's way writes all of it again.
            if written >= 0 || errno == EINVAL || errno == EINTR { return false }
            throw DirectWriteError(errno: errno)
        }
        tail.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[..<blocks.count].suffix(Self.blockBytes)))
        tailOffset = blocks.upperBound - Self.blockBytes
        gathered = 0..<0
        return true
    }

    /// The bytes of `gathered`.
    func withGathered<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        let place = gathered.lowerBound - Self.blocks(of: gathered).lowerBound
        return body(UnsafeRawBufferPointer(rebasing: buffer[place..<place + gathered.count]))
    }

    /// The piece with what else its blocks hold.
    private static func blocks(of piece: Range<Int>) -> Range<Int> {
        piece.lowerBound & ~(blockBytes - 1)..<(piece.upperBound + blockBytes - 1) & ~(blockBytes - 1)
    }

    private mutating func makeRoom(_ count: Int) {
        let kept = Self.gatheredBytesMax + 2 * Self.blockBytes
        let isExcessive = buffer.count > kept && count <= kept && gathered.isEmpty
        guard buffer.count < count || isExcessive else { return }
        let size = isExcessive ? max(count, Self.bufferBytes) : max(count, min(2 * buffer.count, kept))
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: Self.blockBytes)
        if !gathered.isEmpty {
            let used = gathered.upperBound - Self.blocks(of: gathered).lowerBound
            larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[..<used]))
        }
        buffer.deallocate()
        buffer = larger
    }

    /// Brings what the file holds in the block at `offset` to the buffer's begin.
    private func load(_ offset: Int, reading file: Int32) -> Bool {
        let block = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Self.blockBytes])
        guard tailOffset != offset else {
            block.copyMemory(from: UnsafeRawBufferPointer(tail))
            return true
        }
        return pread(file, block.baseAddress, Self.blockBytes, off_t(offset)) == Self.blockBytes
    }
}

struct DirectWriteError: Error {
    var errno: Int32
}
