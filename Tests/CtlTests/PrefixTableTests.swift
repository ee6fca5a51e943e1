import StrakeCtl
import Testing

@Suite struct PrefixTableTests {
    @Test(
        "a prefix is the first components, and never the key's own name",
        arguments: [
            ("/registry/pods/default/web", "", 2, "/registry/pods/"), ("/registry/pods/web", "", 2, "/registry/pods/"),
            ("/registry/pods", "", 2, "/registry/"), ("/boats/1", "", 1, "/boats/"), ("boats/1", "", 1, "boats/"),
            ("/1", "", 2, "/"), ("key", "", 2, ""), ("", "", 1, ""), ("/", "", 3, "/"), ("//a/b", "", 2, "//a/"),
            ("/registry/pods/default/web", "/registry/", 1, "/registry/pods/"),
            ("/registry/pods/default/web", "/registry", 1, "/registry/pods/"),
            ("/registry/pods/default/web", "/registry/pods/", 1, "/registry/pods/default/"),
            ("/registry/x", "/registry/", 2, "/registry/"),
        ])
    func prefixes(key: String, root: String, depth: Int, prefix: String) {
        let table = PrefixTable(root: Array(root.utf8), depth: depth)
        #expect(String(decoding: table.prefix(of: Array(key.utf8)), as: UTF8.self) == prefix)
    }

    @Test func `a long prefix is cut`() {
        let key = [UInt8](repeating: 0x61, count: 1_000) + Array("/b".utf8)
        #expect(PrefixTable(depth: 1).prefix(of: key) == Array(key.prefix(PrefixTable.prefixBytesMax)))
    }

    @Test func `puts, deletes and bytes are counted by prefix, until they are taken`() {
        var table = PrefixTable(depth: 1)
        table.add(key: Array("/a/1".utf8), valueBytes: 10, isDelete: false)
        table.add(key: Array("/a/2".utf8), valueBytes: 20, isDelete: false)
        table.add(key: Array("/a/1".utf8), valueBytes: 0, isDelete: true)
        table.add(key: [0xFF], valueBytes: 1, isDelete: false)
        let counts = table.take()
        let a = counts.prefixes[Array("/a/".utf8)]
        #expect(a?.puts == 2 && a?.deletes == 1 && a?.events == 3 && a?.bytes == 42)
        #expect(counts.prefixes[[]]?.bytes == 2)
        #expect(counts.prefixes.count == 2 && counts.others.events == 0)
        #expect(table.take() == PrefixTable.Counts())
    }

    @Test func `a full table counts further prefixes together, and has room again in the next interval`() {
        var table = PrefixTable(depth: 1)
        for number in 0..<(PrefixTable.prefixesMax + 5) {
            table.add(key: Array("p\(number)/k".utf8), valueBytes: 0, isDelete: number % 2 == 1)
        }
        // One that is in the table already.
        table.add(key: Array("p0/k".utf8), valueBytes: 0, isDelete: false)
        let counts = table.take()
        #expect(counts.prefixes.count == PrefixTable.prefixesMax)
        #expect(counts.prefixes[Array("p0/".utf8)]?.puts == 2)
        #expect(counts.others.events == 5 && counts.others.deletes == 2)
        table.add(key: Array("p9999/k".utf8), valueBytes: 0, isDelete: false)
        #expect(table.take().prefixes[Array("p9999/".utf8)]?.puts == 1)
    }
}
