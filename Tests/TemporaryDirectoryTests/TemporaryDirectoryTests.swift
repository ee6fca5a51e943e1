import Glibc
import StrakeTemporaryDirectory
import Testing

struct TemporaryDirectoryTests {
    private func write(_ path: String) throws {
        let file = try #require(fopen(path, "w"))
        fclose(file)
    }

    /// The number of a process that was, and is no more.
    private func deadProcess() throws -> pid_t {
        var process: pid_t = 0
        var arguments = [strdup("true"), nil]
        defer { free(arguments[0]) }
        try #require(posix_spawnp(&process, "true", nil, nil, &arguments, environ) == 0)
        var status: Int32 = 0
        try #require(waitpid(process, &status, 0) == process)
        return process
    }

    @Test func `a directory goes with what is in it`() throws {
        let path: String
        do {
            let directory = TemporaryDirectory()
            path = directory.path
            FileTree.makeDirectory(path + "/a")
            FileTree.makeDirectory(path + "/a/b")
            for name in ["one", "a/two", "a/b/three"] { try write(path + "/" + name) }
            #expect(FileTree.names(in: path) == ["a", "one"])
        }
        #expect(access(path, F_OK) != 0)
    }

    @Test func `what a dead process left goes with the next directory of that kind, and nothing else does`() throws {
        let base = TemporaryDirectory()
        let left = "kind-\(try deadProcess())-aaaaaa"
        let kept = [
            "kind-\(getppid())-aaaaaa", "kind-aaaaaa", "kind-\(Int32.max)", "kinder-\(try deadProcess())-aaaaaa",
            "other",
        ]
        for name in [left] + kept {
            FileTree.makeDirectory(base.path + "/" + name)
            try write(base.path + "/" + name + "/file")
        }
        let made = TemporaryDirectory(of: "kind", in: base.path)
        let found = FileTree.names(in: base.path).map { base.path + "/" + $0 }
        #expect(found == (kept.map { base.path + "/" + $0 } + [made.path]).sorted())
    }
}
