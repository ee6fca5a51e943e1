internal import Glibc

/// Overwrites small pieces of a file past the page cache: what is written is on its way to the disk at once, so a sync
/// after it has only to flush the disk's own cache. On the disk whole blocks are written, as the page cache would.
///
/// Not every file system can do it, and none can where the blocks are larger than ours; then there is no writer, or it
/// gives up, and the page cache serves.
///
/// The memory is its own, so it may change threads.
struct DirectWriter: ~Copyable, @unchecked Sendable {
    /// The largest piece. Longer ones gain nothing: the page cache's share of their time is small.
    static let bytesMax = 16 << 10
    /// Shorter files are written seldom.
    static let fileBytesMin = 1 << 20
    /// A page: a multiple of what disks and file systems ask of offset, length and memory.
    static let blockBytes = 4_096

    /// `O_DIRECT`, which the module of libc does not show.
    #if arch(arm64)
        private static let direct: Int32 = 0o200_000
    #else
        private static let direct: Int32 = 0o40_000
    #endif

    private let descriptor: Int32
    private let buffer: UnsafeMutableRawBufferPointer
    /// The file had this size; only blocks that lie in it whole are written.
    private let size: Int
    /// Where the last block that was written lies in the file: what is appended goes on in it.
    private var tailOffset: Int?
    /// That block, behind `buffer`.
    private let tail: UnsafeMutableRawBufferPointer

    /// - Parameter file: A descriptor of the file that goes through the page cache. It stays the caller's.
    init?(_ file: Int32, size: Int) {
        // By the descriptor and not by a name, which the file may have lost since.
        let descriptor = open("/proc/self/fd/\(file)", O_RDWR | Self.direct | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        self.descriptor = descriptor
        self.size = size
        buffer = .allocate(byteCount: Self.bytesMax + 2 * Self.blockBytes, alignment: Self.blockBytes)
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
    func takes(_ piece: Range<Int>) -> Bool {
        piece.count <= Self.bytesMax && Self.blocks(of: piece).upperBound <= size
    }

    /// - Parameter bytes: A piece that the writer takes.
    /// - Returns: It is written. If not, the writer cannot go on, and the page cache has to serve.
    /// - Throws: The `errno` of the write that failed.
    mutating func write(_ bytes: UnsafeRawBufferPointer, at offset: Int, reading file: Int32) throws(DirectWriteError)
        -> Bool
    {
        let piece = offset..<offset + bytes.count
        precondition(takes(piece), "\(piece) of \(size) bytes")
        let (start, end) = (Self.blocks(of: piece).lowerBound, Self.blocks(of: piece).upperBound)
        let last = end - Self.blockBytes
        guard load(start, to: 0, reading: file) else { return false }
        if last > start, !load(last, to: last - start, reading: file) { return false }
        UnsafeMutableRawBufferPointer(rebasing: buffer[(offset - start)...]).copyMemory(from: bytes)
        tailOffset = nil
        let written = pwrite(descriptor, buffer.baseAddress, end - start, off_t(start))
        guard written == end - start else {
            // Cut short by a signal or a limit: the page cache's way writes all of it again.
            if written >= 0 || errno == EINVAL || errno == EINTR { return false }
            throw DirectWriteError(errno: errno)
        }
        tail.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[(last - start)..<(end - start)]))
        tailOffset = last
        return true
    }

    /// The piece with what else its blocks hold.
    private static func blocks(of piece: Range<Int>) -> Range<Int> {
        piece.lowerBound & ~(blockBytes - 1)..<(piece.upperBound + blockBytes - 1) & ~(blockBytes - 1)
    }

    /// Brings what the file holds in the block at `offset` to `place` of the buffer.
    private func load(_ offset: Int, to place: Int, reading file: Int32) -> Bool {
        let block = UnsafeMutableRawBufferPointer(rebasing: buffer[place..<place + Self.blockBytes])
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
