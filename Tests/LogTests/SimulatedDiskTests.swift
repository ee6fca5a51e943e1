internal import Glibc
internal import StrakeLog
internal import StrakeSimulatedDisk
internal import Testing

struct SimulatedDiskTests {
    private func write(_ byte: UInt8, _ count: Int, at offset: Int, to file: any DiskFile) throws {
        let bytes = [UInt8](repeating: byte, count: count)
        try bytes.withUnsafeBytes { try file.write($0, at: offset) }
    }

    /// A file with a durable name and 2,048 durable ones.
    private func makeDisk() throws -> (SimulatedDisk, any DiskFile) {
        let disk = SimulatedDisk()
        let file = try disk.open("/a", .new)
        try disk.syncDirectory("/")
        try write(1, 2_048, at: 0, to: file)
        try file.sync()
        return (disk, file)
    }

    @Test func `a power cut leaves each sector as one of its versions`() throws {
        var kinds: Set<[UInt8]> = []
        for seed in UInt64(0)..<300 {
            let (disk, file) = try makeDisk()
            try write(2, 1_024, at: 256, to: file)
            try write(3, 512, at: 1_024, to: file)
            disk.powerCut(seed: seed)
            let bytes = try #require(disk.contents("/a"))
            #expect(bytes.count == 2_048)
            #expect(bytes[..<256].allSatisfy { $0 == 1 } && bytes[1_536...].allSatisfy { $0 == 1 })
            let parts = [bytes[256..<512], bytes[512..<1_024], bytes[1_024..<1_280], bytes[1_280..<1_536]]
            for part in parts { #expect(Set(part).count == 1) }
            kinds.insert(parts.map { $0.first ?? 0 })
        }
        #expect(
            kinds == [
                [1, 1, 1, 1], [1, 1, 2, 1], [1, 1, 3, 3], [1, 2, 1, 1], [1, 2, 2, 1], [1, 2, 3, 3], [2, 1, 1, 1],
                [2, 1, 2, 1], [2, 1, 3, 3], [2, 2, 1, 1], [2, 2, 2, 1], [2, 2, 3, 3],
            ])
    }

    @Test func `what a sync covered survives`() throws {
        for seed in UInt64(0)..<50 {
            let (disk, file) = try makeDisk()
            try write(2, 4_000, at: 0, to: file)
            try file.sync()
            disk.powerCut(seed: seed)
            #expect(disk.contents("/a") == [UInt8](repeating: 2, count: 4_000))
        }
    }

    @Test func `after a failed sync a second one saves nothing of what the first was to write`() throws {
        var outcomes: Set<UInt8> = []
        for failures in 1..<30 {
            let (disk, file) = try makeDisk()
            for _ in 0..<failures {
                try write(2, 512, at: 0, to: file)
                disk.fail(.sync, errno: EIO)
                #expect(throws: DiskError.self) { try file.sync() }
                try write(1, 512, at: 0, to: file)
                try file.sync()
            }
            try write(2, 512, at: 0, to: file)
            disk.fail(.sync, errno: EIO)
            #expect(throws: DiskError.self) { try file.sync() }
            try write(3, 512, at: 512, to: file)
            try file.sync()
            #expect(disk.contents("/a")?[0] == 2)
            disk.powerCut(seed: 1)
            let bytes = try #require(disk.contents("/a"))
            #expect(bytes[512..<1_024].allSatisfy { $0 == 3 })
            outcomes.insert(bytes[0])
        }
        #expect(outcomes == [1, 2])
    }

    @Test func `a durable write survives with its sectors, and what else was written may not`() throws {
        var kinds: Set<[UInt8]> = []
        for seed in UInt64(0)..<200 {
            let (disk, file) = try makeDisk()
            try write(2, 1_024, at: 256, to: file)
            try disk.write([UInt8](repeating: 3, count: 100), to: "/a", at: 600, isDurable: true)
            disk.powerCut(seed: seed)
            let bytes = try #require(disk.contents("/a"))
            #expect(bytes[512..<600].allSatisfy { $0 == 2 } && bytes[600..<700].allSatisfy { $0 == 3 })
            #expect(bytes[700..<1_024].allSatisfy { $0 == 2 })
            kinds.insert([bytes[256], bytes[1_024]])
        }
        #expect(kinds == [[1, 1], [1, 2], [2, 1], [2, 2]])
    }

    @Test func `a durable write that fails may be on disk, and is seen until the power is cut`() throws {
        var outcomes: Set<UInt8> = []
        for failures in 1..<30 {
            let (disk, _) = try makeDisk()
            let (old, new) = ([UInt8](repeating: 1, count: 512), [UInt8](repeating: 2, count: 512))
            for _ in 0..<failures {
                try disk.write(old, to: "/a", at: 512, isDurable: true)
                disk.fail(.sync, errno: EIO)
                #expect(throws: DiskError.self) { try disk.write(new, to: "/a", at: 512, isDurable: true) }
                #expect(disk.contents("/a")?[512] == 2)
            }
            disk.powerCut(seed: 1)
            outcomes.insert(try #require(disk.contents("/a"))[512])
        }
        #expect(outcomes == [1, 2])
    }

    @Test func `writing by path makes a file whose name is durable with its directory`() throws {
        var outcomes: Set<[String]> = []
        for seed in UInt64(0)..<30 {
            let (disk, _) = try makeDisk()
            try disk.write([1], to: "/b", at: 10, isDurable: false)
            try disk.sync("/b")
            #expect(disk.contents("/b") == [UInt8](repeating: 0, count: 10) + [1])
            disk.powerCut(seed: seed)
            outcomes.insert(try disk.list("/"))
        }
        #expect(outcomes == [["a"], ["a", "b"]])
    }

    @Test func `names survive in the order in which they changed`() throws {
        var outcomes: Set<[String]> = []
        for seed in UInt64(0)..<100 {
            let (disk, _) = try makeDisk()
            _ = try disk.open("/b", .new)
            try disk.rename("/a", to: "/c")
            try disk.remove("/b")
            disk.powerCut(seed: seed)
            outcomes.insert(try disk.list("/"))
        }
        #expect(outcomes == [["a"], ["a", "b"], ["b", "c"], ["c"]])
    }

    @Test func `a name that a power cut brings back has its bytes, even if a process died in between`() throws {
        var returned = 0
        for seed in UInt64(0)..<20 {
            let (disk, _) = try makeDisk()
            try disk.remove("/a")
            disk.crashProcess()
            disk.powerCut(seed: seed)
            guard try disk.list("/").contains("a") else { continue }
            returned += 1
            #expect(try disk.open("/a", .existing).size() == 2_048)
        }
        #expect(returned > 0)
    }

    @Test func `files opened before a cut are dead and locks are free`() throws {
        let (disk, file) = try makeDisk()
        #expect(try disk.lock("/LOCK") != nil)
        let lock = try #require(try disk.lock("/LOCK"))
        #expect(try disk.lock("/LOCK") == nil)
        disk.crashProcess()
        #expect(throws: DiskError.self) { try file.size() }
        let next = try #require(try disk.lock("/LOCK"))
        lock.release()
        #expect(try disk.lock("/LOCK") == nil)
        next.release()
    }

    @Test func `a full disk takes no more`() throws {
        let disk = SimulatedDisk(capacity: 1_000)
        let file = try disk.open("/a", .new)
        try write(1, 900, at: 0, to: file)
        let error = #expect(throws: DiskError.self) { try write(1, 101, at: 900, to: file) }
        #expect(error?.isDiskFull == true)
        try write(1, 100, at: 900, to: file)
    }

    @Test func `after contact is lost nothing works until the power is back`() throws {
        let (disk, file) = try makeDisk()
        disk.loseContact(afterChanges: 1)
        try write(2, 512, at: 0, to: file)
        #expect(throws: DiskError.self) { try file.sync() }
        #expect(throws: DiskError.self) { try file.size() }
        #expect(throws: DiskError.self) { try disk.list("/") }
        disk.powerCut(seed: 1)
        #expect(try disk.list("/") == ["a"])
    }
}
