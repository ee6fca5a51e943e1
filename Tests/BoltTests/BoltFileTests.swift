import StrakeBolt
import StrakeSeededGenerator
import Testing

@Suite struct BoltFileTests {
    private func number(_ file: [UInt8], _ offset: Int, bytes: Int) -> UInt64 {
        (0..<bytes).reduce(0) { $0 | UInt64(file[offset + $1]) << UInt64(8 * $1) }
    }

    @Test("what is written is read back", arguments: [0, 1, 2, 40, 127, 128, 129, 4_000, 40_000])
    func roundTrip(count: Int) throws {
        let buckets: Buckets = [
            (Array("empty".utf8), []),
            (Array("key".utf8), numbered(count) { [UInt8](repeating: UInt8($0 & 0xFF), count: $0 % 90) }),
            (Array("meta".utf8), [(Array("a".utf8), Array("1".utf8)), (Array("b".utf8), [])]),
        ]
        let file = MemoryFile.write(buckets)
        #expect(file.count % 4096 == 0)
        #expect(isEqual(try MemoryFile.read(file), buckets))
    }

    @Test func `random databases are read back`() throws {
        var random = SeededGenerator(seed: SeededGenerator.seed(of: "random databases"))
        for _ in 0..<60 {
            let sizes = [0, 20, 200, 1_500, 3_000, 9_000, 70_000]
            let limit = sizes[random.below(sizes.count)]
            let count = random.below(limit > 2_000 ? 60 : 2_000)
            let buckets = (0..<random.below(5)).map { bucket in
                (name: Array("bucket\(bucket)".utf8), entries: numbered(count) { _ in random.bytes(upTo: limit) })
            }
            #expect(isEqual(try MemoryFile.read(MemoryFile.write(buckets)), buckets))
        }
    }

    @Test func `a database without buckets is read back`() throws {
        #expect(try MemoryFile.read(MemoryFile.write([])).isEmpty)
    }

    @Test func `long keys are read back`() throws {
        let entries = (0..<300).map { number -> (key: [UInt8], value: [UInt8]) in
            (numbered(number + 1) { _ in [] }[number].key + [UInt8](repeating: 7, count: 3_000), [1])
        }
        let buckets: Buckets = [(Array("long".utf8), entries)]
        #expect(isEqual(try MemoryFile.read(MemoryFile.write(buckets)), buckets))
    }

    @Test func `small buckets lie in their parent`() throws {
        let small: Buckets = [(Array("a".utf8), numbered(20) { _ in [1, 2, 3] }), (Array("b".utf8), [])]
        // Two metas, the list of free pages, the root.
        #expect(MemoryFile.write(small).count == 4 * 4096)
    }

    @Test func `the metas say where the root is`() throws {
        let file = MemoryFile.write([(Array("key".utf8), numbered(1_000) { _ in [UInt8](repeating: 1, count: 100) })])
        for page in 0...1 {
            let meta = page * 4096 + 16
            #expect(number(file, page * 4096, bytes: 8) == UInt64(page))
            #expect(number(file, meta, bytes: 4) == 0xED0C_DAED)
            #expect(number(file, meta + 4, bytes: 4) == 2)
            #expect(number(file, meta + 8, bytes: 4) == 4096)
            #expect(number(file, meta + 16, bytes: 8) == UInt64(file.count / 4096 - 1))
            #expect(number(file, meta + 40, bytes: 8) == UInt64(file.count / 4096))
            #expect(number(file, meta + 48, bytes: 8) == UInt64(2 - page))
        }
    }

    @Test("no branch page has a single child", arguments: 120...140)
    func branchChildren(leaves: Int) throws {
        // A leaf an entry; a branch page takes 170 children with keys of 8 bytes.
        for count in [leaves, leaves + 50, 170 * 170 + leaves] {
            let file = MemoryFile.write([
                (Array("key".utf8), numbered(count) { _ in [UInt8](repeating: 0, count: 3_000) })
            ])
            for page in stride(from: 0, to: file.count, by: 4096) where number(file, page + 8, bytes: 2) == 1 {
                #expect(number(file, page + 10, bytes: 2) >= 2)
            }
        }
    }

    @Test func `every page behind the free list is a tree's`() throws {
        let buckets: Buckets = [
            (Array("a".utf8), numbered(5_000) { [UInt8](repeating: 1, count: $0 % 300) }),
            (Array("b".utf8), numbered(50) { [UInt8](repeating: 1, count: $0 * 700) }),
        ]
        let file = MemoryFile.write(buckets)
        var page = 3
        while page < file.count / 4096 {
            #expect(number(file, page * 4096, bytes: 8) == UInt64(page))
            #expect([1, 2].contains(number(file, page * 4096 + 8, bytes: 2)))
            page += 1 + Int(number(file, page * 4096 + 12, bytes: 4))
        }
        #expect(page == file.count / 4096)
    }

    @Test func `the newer meta counts, and the other one when that is damaged`() throws {
        let buckets: Buckets = [(Array("key".utf8), numbered(100) { _ in [1] })]
        var file = MemoryFile.write(buckets)
        #expect(try MemoryFile.reader(file).meta.transaction == 2)
        file[30] ^= 1
        #expect(try MemoryFile.reader(file).meta.transaction == 1)
        #expect(isEqual(try MemoryFile.read(file), buckets))
        file[4096 + 30] ^= 1
        #expect(throws: BoltError.noMeta) { try MemoryFile.read(file) }
    }

    @Test func `a file that was cut short is refused`() throws {
        let file = MemoryFile.write([(Array("key".utf8), numbered(1_000) { _ in [1] })])
        #expect(throws: BoltError.truncated(fileBytes: UInt64(file.count - 1), needed: UInt64(file.count))) {
            try MemoryFile.read(file.dropLast())
        }
        #expect(throws: BoltError.noMeta) { try MemoryFile.read([]) }
        #expect(throws: BoltError.noMeta) { try MemoryFile.read([UInt8](repeating: 0, count: 9_000)) }
    }

    @Test func `a bucket is found by its name`() throws {
        let reader = try MemoryFile.reader(
            MemoryFile.write([(Array("a".utf8), []), (Array("key".utf8), numbered(9) { _ in [1] })]))
        var count = 0
        let bucket = try #require(try reader.bucket(Array("key".utf8)))
        try reader.forEach(in: bucket) { _ throws(BoltError) in
            count += 1
            return count < 5
        }
        #expect(count == 5)
        #expect(try reader.bucket(Array("nobody".utf8)) == nil)
    }
}
