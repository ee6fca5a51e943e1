/// Reads a file in order through a buffer, so that memory does not grow with the file.
final class FileWindow {
    static let pieceBytes = 256 << 10

    let file: any DiskFile
    let path: String
    let size: Int
    private var buffer: UnsafeMutableRawBufferPointer
    private var base = 0
    private var filled = 0

    init(_ file: any DiskFile, path: String) throws(LogError) {
        self.file = file
        self.path = path
        do { size = try file.size() } catch { throw .disk(error) }
        buffer = .allocate(byteCount: Self.pieceBytes, alignment: 16)
    }

    deinit { buffer.deallocate() }

    /// The bytes at `offset`, zeros beyond the end of the file. They are valid until the next call.
    func bytes(at offset: Int, count: Int) throws(LogError) -> UnsafeRawBufferPointer {
        if offset < base || offset + count > base + filled { try fill(from: offset, count: count) }
        return UnsafeRawBufferPointer(start: buffer.baseAddress! + (offset - base), count: count)
    }

    /// Goes through `range` in pieces.
    func forEachPiece(
        of range: Range<Int>, _ body: (_ offset: Int, _ bytes: UnsafeRawBufferPointer) throws(LogError) -> Void
    ) throws(LogError) {
        var offset = range.lowerBound
        while offset < range.upperBound {
            let count = min(Self.pieceBytes, range.upperBound - offset)
            try body(offset, try bytes(at: offset, count: count))
            offset += count
        }
    }

    private func fill(from offset: Int, count: Int) throws(LogError) {
        filled = 0
        if buffer.count < count {
            buffer.deallocate()
            buffer = .allocate(byteCount: count, alignment: 16)
        }
        let wanted = min(buffer.count, max(size - offset, 0))
        var got = 0
        if wanted > 0 {
            let head = UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
            do { got = try file.read(into: head, at: offset) } catch { throw .disk(error) }
        }
        UnsafeMutableRawBufferPointer(rebasing: buffer[got...]).initializeMemory(as: UInt8.self, repeating: 0)
        base = offset
        filled = buffer.count
    }
}
