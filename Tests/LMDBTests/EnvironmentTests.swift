import Glibc
import StrakeLMDB
import StrakeTemporaryDirectory
import Synchronization
import Testing

/// What a test's body throws when it gives up on purpose.
enum Refusal: LMDBFailure, Equatable {
    case lmdb(LMDBError)
    case onPurpose

    init(_ error: LMDBError) { self = .lmdb(error) }
}

extension Transaction where Self: ~Copyable {
    borrowing func get(_ key: String, _ table: Table) throws(LMDBError) -> String? {
        let bytes = Array(key.utf8)
        return try bytes.withUnsafeBufferPointer { key throws(LMDBError) -> String? in
            try get(UnsafeRawBufferPointer(key), in: table).map { String(decoding: $0, as: UTF8.self) }
        }
    }
}

extension WriteTransaction {
    borrowing func put(_ key: String, _ value: String, _ table: Table) throws(LMDBError) {
        let key = Array(key.utf8)
        let value = Array(value.utf8)
        try key.withUnsafeBufferPointer { key throws(LMDBError) -> Void in
            try value.withUnsafeBufferPointer { value throws(LMDBError) -> Void in
                try put(UnsafeRawBufferPointer(key), UnsafeRawBufferPointer(value), in: table)
            }
        }
    }
}

struct EnvironmentTests {
    let directory = TemporaryDirectory()

    func open(mapBytes: Int = 1 << 30) throws -> Environment {
        try Environment(directory: directory.path, tables: ["one", "two"], mapBytes: mapBytes)
    }

    @Test func `a committed write is there after the environment is opened again`() throws {
        do {
            let environment = try open()
            try environment.write { txn throws(LMDBError) in
                try txn.put("key", "first", environment.table("one"))
                try txn.put("key", "second", environment.table("two"))
            }
        }
        let environment = try open()
        try environment.read { txn throws(LMDBError) in
            #expect(try txn.get("key", environment.table("one")) == "first")
            #expect(try txn.get("key", environment.table("two")) == "second")
            #expect(try txn.get("other", environment.table("two")) == nil)
        }
    }

    @Test func `a body that throws leaves nothing behind and lets the next writer in`() throws {
        let environment = try open()
        let table = environment.table("one")
        #expect(throws: Refusal.onPurpose) {
            try environment.write { txn throws(Refusal) in
                do throws(LMDBError) { try txn.put("key", "value", table) } catch { throw .lmdb(error) }
                throw .onPurpose
            }
        }
        try environment.write { txn throws(LMDBError) in #expect(try txn.get("key", table) == nil) }
    }

    @Test func `a write transaction that is dropped is aborted`() throws {
        let environment = try open()
        let table = environment.table("one")
        do {
            let txn = try environment.beginWrite()
            try txn.put("key", "value", table)
        }
        let txn = try environment.beginWrite()
        #expect(try txn.get("key", table) == nil)
        try txn.commit()
    }

    @Test func `a reader keeps its view and the next one from the pool has the newest`() throws {
        let environment = try open()
        let table = environment.table("one")
        try environment.write { txn throws(LMDBError) in try txn.put("key", "old", table) }
        do {
            let reader = try environment.beginRead()
            try environment.write { txn throws(LMDBError) in try txn.put("key", "new", table) }
            #expect(try reader.get("key", table) == "old")
        }
        for _ in 0..<3 {
            try environment.read { txn throws(LMDBError) in #expect(try txn.get("key", table) == "new") }
        }
        #expect(try environment.statistics().readersUsed <= 2)
    }

    @Test func `a read transaction outlives the last reference to its environment`() throws {
        func begin() throws -> ReadTransaction {
            let environment = try open()
            try environment.write { txn throws(LMDBError) in try txn.put("key", "value", environment.table("one")) }
            return try environment.beginRead()
        }
        let reader = try begin()
        #expect(reader.id > 0)
    }

    @Test func `who asked hears that the file is closed when the last reader has gone`() throws {
        let times = Mutex(0)
        func begin() throws -> ReadTransaction {
            let environment = try open()
            for _ in 0..<2 { environment.whenClosed { times.withLock { $0 += 1 } } }
            return try environment.beginRead()
        }
        do {
            let reader = try begin()
            #expect(times.withLock { $0 } == 0 && reader.id >= 0)
        }
        #expect(times.withLock { $0 } == 2)
    }

    @Test func `a full map is told apart, and reading goes on`() throws {
        let environment = try open(mapBytes: 1 << 20)
        let table = environment.table("one")
        let value = String(repeating: "v", count: 1_000)
        let error = #expect(throws: LMDBError.self) {
            try environment.write { txn throws(LMDBError) in
                for number in 0..<10_000 { try txn.put("key \(number)", value, table) }
            }
        }
        #expect(error?.kind == .mapFull)
        try environment.write { txn throws(LMDBError) in try txn.put("key", "fits", table) }
        try environment.read { txn throws(LMDBError) in
            #expect(try txn.get("key", table) == "fits")
            #expect(try txn.get("key 0", table) == nil)
        }
    }

    @Test func `more readers than slots is an error, and the slots come back`() throws {
        final class Reader {
            let txn: ReadTransaction
            init(_ environment: Environment) throws(LMDBError) { txn = try environment.beginRead() }
        }
        let environment = try open()
        var readers: [Reader] = []
        let error = #expect(throws: LMDBError.self) {
            while readers.count <= Environment.readersMax { readers.append(try Reader(environment)) }
        }
        #expect(error?.kind == .readersFull)
        #expect(readers.count == Environment.readersMax)
        readers = []
        try environment.read { txn throws(LMDBError) in #expect(txn.id > 0) }
    }

    @Test func `a missing directory, a foreign file and a long key are different errors`() throws {
        let missing = #expect(throws: LMDBError.self) {
            try Environment(directory: directory.path + "/missing", tables: ["one"])
        }
        #expect(missing?.kind == .io(errno: ENOENT))
        #expect(missing?.operation == .create)

        let path = directory.path + "/data.mdb"
        let file = try #require(fopen(path, "w"))
        fputs(String(repeating: "not a database ", count: 1_000), file)
        fclose(file)
        let foreign = #expect(throws: LMDBError.self) { try open() }
        #expect(foreign?.kind == .foreignFile)
        unlink(path)

        let environment = try open()
        let long = #expect(throws: LMDBError.self) {
            try environment.write { txn throws(LMDBError) in
                try txn.put(String(repeating: "k", count: 512), "", environment.table("one"))
            }
        }
        #expect(long?.kind == .badValueSize)
    }

    @Test func `when preparing throws, the file has no tables`() throws {
        #expect(throws: Refusal.onPurpose) {
            _ = try Environment(directory: directory.path, tables: ["one"]) {
                (_: borrowing WriteTransaction, _: [Table]) throws(Refusal) in throw .onPurpose
            }
        }
        let environment = try Environment(directory: directory.path, tables: [])
        try environment.read { txn throws(LMDBError) in #expect(try txn.statistics(of: .names).entries == 0) }
    }

    @Test func `bytes in use follow what is stored, the file does not shrink`() throws {
        let environment = try open()
        let table = environment.table("one")
        let empty = try environment.statistics()
        let value = String(repeating: "v", count: 1_000)
        try environment.write { txn throws(LMDBError) in
            for number in 0..<3_000 { try txn.put("key \(number)", value, table) }
        }
        let full = try environment.statistics()
        #expect(full.bytesInUse - empty.bytesInUse > 3_000_000)
        #expect(full.fileBytes >= full.bytesInUse)
        try environment.write { txn throws(LMDBError) in try txn.clear(table) }
        let cleared = try environment.statistics()
        #expect(cleared.fileBytes >= full.fileBytes)
        #expect(cleared.lastPage >= full.lastPage)
        #expect(cleared.bytesInUse < 100_000)
        #expect(cleared.mapBytes == 1 << 30)
    }
}
