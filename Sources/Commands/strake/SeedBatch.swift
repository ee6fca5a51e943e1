internal import Glibc

/// Runs seeds in child processes, some at a time, and prints their lines in the order of the seeds.
struct SeedBatch {
    let seeds: ClosedRange<UInt64>
    let jobs: Int
    /// No seed begins after one has broken a rule.
    let stopsWhenBroken: Bool
    /// Of each child, beside its seed.
    let arguments: [String]

    private struct Child {
        var seed: UInt64
        var output: Int32
    }

    /// - Returns: The exit code.
    func run() -> Int32 {
        // Who ignores it has its children vanish unseen, and hands that on to the processes that it starts.
        signal(SIGCHLD, SIG_DFL)
        var upcoming = Optional(seeds.lowerBound)
        var children: [pid_t: Child] = [:]
        var finished: [UInt64: String] = [:]
        var next = seeds.lowerBound
        var (ended, broken) = (0, 0)
        while upcoming != nil || !children.isEmpty {
            while let seed = upcoming, children.count < jobs {
                guard let (process, child) = spawn(seed) else {
                    StrakeCommand.complain(
                        "cannot start a process for seed \(seed): \(String(cString: strerror(errno)))")
                    return 1
                }
                children[process] = child
                upcoming = seed < seeds.upperBound ? seed + 1 : nil
            }
            var status: Int32 = 0
            let process = wait(&status)
            guard process > 0 || errno == EINTR else {
                StrakeCommand.complain("cannot wait for a seed's process: \(String(cString: strerror(errno)))")
                return 1
            }
            // Another one: a child of the program that this one was started in the place of.
            guard let child = children.removeValue(forKey: process) else { continue }
            if status != 0 { broken += 1 }
            if broken > 0, stopsWhenBroken { upcoming = nil }
            ended += 1
            let text = Self.readAll(child.output)
            finished[child.seed] = text.isEmpty ? "seed=\(child.seed) broken: its process died\n" : text
            while let line = finished.removeValue(forKey: next) {
                print(line, terminator: "")
                fflush(nil)
                next &+= 1
            }
        }
        StrakeCommand.complain("\(ended) seeds, \(broken) broke a rule")
        return broken == 0 ? 0 : 1
    }

    private func spawn(_ seed: UInt64) -> (pid_t, Child)? {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { return nil }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        posix_spawn_file_actions_addclose(&actions, ends[0])
        let words = ["strake", "simulate", "--seed", String(seed)] + arguments
        var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var process: pid_t = 0
        let code = posix_spawn(&process, "/proc/self/exe", &actions, nil, &pointers, environ)
        close(ends[1])
        guard code == 0 else {
            close(ends[0])
            errno = code
            return nil
        }
        return (process, Child(seed: seed, output: ends[0]))
    }

    /// One line: it fits into the pipe, so no child waits for it to be read.
    private static func readAll(_ descriptor: Int32) -> String {
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }
}
