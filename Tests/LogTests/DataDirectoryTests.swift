internal import Glibc
internal import StrakeChecksum
internal import StrakeLog
internal import StrakeRaft
internal import StrakeSimulatedDisk
internal import Testing

struct DataDirectoryTests {
    private let path = "/data"

    private func write(_ text: String, to name: String, on disk: SimulatedDisk) throws {
        try disk.createDirectory(path)
        disk.replace(path + "/" + name, with: Array(text.utf8))
    }

    @Test func `a new directory has no owner until it is given one`() throws {
        let disk = SimulatedDisk()
        let directory = try DataDirectory(opening: path, on: disk)
        #expect(directory.identity == nil)
        try directory.initialize(identity)
        #expect(directory.identity == identity)
        directory.close()
        let again = try DataDirectory(opening: path, on: disk)
        #expect(again.identity == identity)
        #expect(throws: Never.self) { try again.check(identity) }
    }

    @Test func `the format file says what it is in words`() throws {
        let disk = SimulatedDisk()
        try DataDirectory(opening: path, on: disk).initialize(identity)
        let lines = """
            strake data directory
            format 1
            cluster 0000000000000abc
            member 0000000000000001

            """
        let checksum = String(CRC32C.checksum(Array(lines.utf8)), radix: 16)
        let padded = String(repeating: "0", count: 8 - checksum.count) + checksum
        #expect(disk.contents(path + "/STRAKE") == Array((lines + "checksum " + padded + "\n").utf8))
    }

    @Test func `another member's directory is refused`() throws {
        let directory = try DataDirectory(opening: path, on: SimulatedDisk())
        try directory.initialize(identity)
        let other = MemberIdentity(cluster: 0xabc, member: MemberID(rawValue: 2))
        #expect(throws: DataDirectoryError.identityMismatch(path: path, expected: other, found: identity)) {
            try directory.check(other)
        }
    }

    @Test func `an open directory is locked`() throws {
        let disk = SimulatedDisk()
        let directory = try DataDirectory(opening: path, on: disk)
        #expect(throws: DataDirectoryError.locked(path: path)) { try DataDirectory(opening: path, on: disk) }
        directory.close()
        #expect(throws: Never.self) { try DataDirectory(opening: path, on: disk) }
    }

    @Test func `etcd's directory is refused, left as it is, and the text says what to do`() throws {
        let disk = SimulatedDisk()
        try disk.createDirectory(path)
        try disk.createDirectory(path + "/member")
        let error = #expect(throws: DataDirectoryError.etcdDirectory(path: path)) {
            try DataDirectory(opening: path, on: disk)
        }
        #expect(error.map(String.init(describing:))?.contains("etcdctl make-mirror") == true)
        #expect(try disk.list(path) == ["member"])
    }

    @Test(
        "a directory that holds something else is refused",
        arguments: [(["notes.txt"], false), (["lost+found"], true), (["log", "LOCK"], true), (["STRAKE.new"], true)])
    func foreign(names: [String], isTaken: Bool) throws {
        let disk = SimulatedDisk()
        for name in names { try write("", to: name, on: disk) }
        if isTaken {
            let directory = try DataDirectory(opening: path, on: disk)
            #expect(directory.identity == nil)
            try directory.initialize(identity)
        } else {
            #expect(throws: DataDirectoryError.foreign(path: path, names: names)) {
                try DataDirectory(opening: path, on: disk)
            }
        }
    }

    @Test func `a newer format is refused, a damaged file too`() throws {
        let disk = SimulatedDisk()
        let file = path + "/STRAKE"
        try write("strake data directory\nformat 2\nanything", to: "STRAKE", on: disk)
        #expect(throws: DataDirectoryError.unsupportedFormat(path: file, found: 2, supported: 1)) {
            try DataDirectory(opening: path, on: disk)
        }
        let other = SimulatedDisk()
        try DataDirectory(opening: path, on: other).initialize(identity)
        let original = try #require(other.contents(file))
        for offset in original.indices {
            other.flipBit(path: file, offset: offset, bit: 0)
            other.crashProcess()
            #expect(throws: DataDirectoryError.self) { try DataDirectory(opening: path, on: other) }
            other.replace(file, with: original)
        }
    }

    @Test func `a directory whose log is gone is refused, and the text says what is missing`() throws {
        let disk = SimulatedDisk()
        let directory = try DataDirectory(opening: path, on: disk)
        #expect(throws: Never.self) { try directory.checkContents() }
        try directory.initialize(identity)
        let error = #expect(throws: DataDirectoryError.self) { try directory.checkContents() }
        #expect(error == .emptied(path: path, owner: identity, missing: ["log", "store"]))
        #expect(error.map(String.init(describing:))?.contains("this is gone: log/, store/.") == true)
        try disk.createDirectory(directory.storePath)
        #expect(throws: DataDirectoryError.emptied(path: path, owner: identity, missing: ["log"])) {
            try directory.checkContents()
        }
        try disk.createDirectory(directory.logPath)
        #expect(throws: Never.self) { try directory.checkContents() }
    }

    /// The steps of a member's creation, those of the store left out.
    private func create(on disk: SimulatedDisk) throws {
        let directory = try DataDirectory(opening: path, on: disk)
        try directory.checkContents()
        let isNew = directory.identity == nil
        try disk.createDirectory(directory.storePath)
        var options = DurableLog.Options()
        options.segmentBytes = 4_096
        options.mayCreate = isNew
        let log = try DurableLog(directory: directory.logPath, on: disk, identity: identity, options: options)
        if isNew {
            if log.lastIndex == .zero { try log.replaceAll(with: makeSnapshot(1, 1)) }
            try directory.initialize(identity)
        }
        #expect(log.lastIndex == LogIndex(rawValue: 1))
    }

    @Test func `a power cut while a member is created leaves one that can be created again, or a whole one`() throws {
        var outcomes: Set<Bool> = []
        var changes = 0
        while !outcomes.contains(true) {
            for seed in UInt64(0)..<20 {
                let disk = SimulatedDisk()
                disk.loseContact(afterChanges: changes)
                let isDone = (try? create(on: disk)) != nil
                disk.powerCut(seed: seed)
                do {
                    let directory = try DataDirectory(opening: path, on: disk)
                    #expect(!isDone || directory.identity == identity)
                    directory.close()
                }
                #expect(throws: Never.self, "after \(changes) changes, seed \(seed)") { try create(on: disk) }
                outcomes.insert(isDone)
            }
            changes += 1
        }
        #expect(outcomes.count == 2 && changes > 12)
    }

    @Test func `the directories above are made too`() throws {
        let disk = SimulatedDisk()
        try DataDirectory(opening: "/var/lib/strake//", on: disk).initialize(identity)
        disk.powerCut(seed: 1)
        let directory = try DataDirectory(opening: "/var/lib/strake", on: disk)
        #expect(directory.identity == identity)
        #expect(directory.path == "/var/lib/strake")
    }

    @Test func `a power cut while it is made leaves a new directory or a whole one`() throws {
        var outcomes: Set<Bool> = []
        for changes in 0..<12 {
            for seed in UInt64(0)..<20 {
                let disk = SimulatedDisk()
                disk.loseContact(afterChanges: changes)
                let isDone = (try? DataDirectory(opening: path, on: disk).initialize(identity)) != nil
                disk.powerCut(seed: seed)
                let found = try DataDirectory(opening: path, on: disk).identity
                #expect(found == identity || found == nil && !isDone)
                outcomes.insert(found == nil)
            }
        }
        #expect(outcomes.count == 2)
    }
}
