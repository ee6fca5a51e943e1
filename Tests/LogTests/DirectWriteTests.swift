internal import Glibc
internal import StrakeLog
internal import StrakeSeededGenerator
internal import StrakeTemporaryDirectory
internal import Testing

/// Pieces that go past the page cache, among others that do not.
struct DirectWriteTests {
    private static let size = 1 << 20
    #if arch(arm64)
        private static let direct: Int32 = 0o200_000
    #else
        private static let direct: Int32 = 0o40_000
    #endif

    private let directory = TemporaryDirectory()
    private let disk = FileDisk()
    private var path: String { directory.path + "/file" }

    private func makeFile() throws -> any DiskFile {
        let file = try disk.open(path, .new)
        let zeros = [UInt8](repeating: 0, count: Self.size)
        try zeros.withUnsafeBytes { try file.write($0, at: 0) }
        return file
    }

    private func contents(_ file: any DiskFile) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: try file.size())
        let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
        #expect(count == bytes.count)
        return bytes
    }

    /// Descriptors of this process that write to the file past the page cache.
    private var directDescriptors: Int {
        get throws {
            try disk.list("/proc/self/fd").compactMap { Int32($0) }.filter { descriptor in
                var (mine, its) = (stat(), stat())
                return fstat(descriptor, &its) == 0 && stat(path, &mine) == 0 && mine.st_ino == its.st_ino
                    && mine.st_dev == its.st_dev && fcntl(descriptor, F_GETFL) & Self.direct != 0
            }.count
        }
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `a file holds what was written last, whichever way it went`(seed: UInt64) throws {
        print("seed \(seed), directory \(directory.path)")
        var random = SeededGenerator(seed: seed)
        let file = try makeFile()
        var expected = [UInt8](repeating: 0, count: Self.size)
        var end = 0
        for _ in 0..<2_000 {
            // Mostly appended as a log is, at times over what is there, long, or beyond the end.
            let offset = Int.random(in: 0..<4, using: &random) > 0 ? end : Int.random(in: 0..<Self.size, using: &random)
            let lengths = Int.random(in: 0..<20, using: &random) > 0 ? 1...600 : 1...40_000
            let piece = (0..<Int.random(in: lengths, using: &random)).map { _ in
                UInt8.random(in: .min ... .max, using: &random)
            }
            try piece.withUnsafeBytes { try file.write($0, at: offset) }
            if offset + piece.count > expected.count {
                expected += [UInt8](repeating: 0, count: offset + piece.count - expected.count)
            }
            expected.replaceSubrange(offset..<offset + piece.count, with: piece)
            end = (offset + piece.count) % Self.size
        }
        try file.sync()
        #expect(try contents(file) == expected)
        #expect(try contents(try disk.open(path, .existing)) == expected)
    }

    @Test func `a short piece within a long file goes past the page cache where that can be`() throws {
        let file = try makeFile()
        let isPossible = { () -> Bool in
            let descriptor = open(path, O_RDWR | Self.direct)
            defer { close(descriptor) }
            return descriptor >= 0
        }()
        #expect(try directDescriptors == 0)
        try ([1, 2, 3] as [UInt8]).withUnsafeBytes { try file.write($0, at: 5_000) }
        #expect(try directDescriptors == (isPossible ? 1 : 0))
        try file.truncate(to: 10_000)
        #expect(try directDescriptors == 0)
        try ([4] as [UInt8]).withUnsafeBytes { try file.write($0, at: 9_999) }
        #expect(try directDescriptors == 0)
        let bytes = try contents(file)
        #expect(bytes.count == 10_000)
        #expect(bytes[5_000] == 1)
        #expect(bytes[9_999] == 4)
    }

    @Test func `a file keeps its length`() throws {
        let file = try makeFile()
        try ([7] as [UInt8]).withUnsafeBytes { try file.write($0, at: Self.size - 1) }
        #expect(try file.size() == Self.size)
        #expect(try contents(file).last == 7)
        #expect(try contents(file).dropLast().allSatisfy { $0 == 0 })
    }
}
