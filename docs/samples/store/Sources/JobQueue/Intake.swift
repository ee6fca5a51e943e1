import Dispatch
import Glibc
import ServiceLifecycle
import StrakeStore

/// Takes a job a line from the standard input.
struct Intake: Service {
    /// Jobs that wait for the store at once, and share its flushes. At the bound no more lines are read.
    static let underWayMax = 64

    let queue: JobQueue

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await takeLines() }
        } catch EmbeddedStoreError.canceled {
            // Told to stop. What nobody has said `accepted` to may be there or not.
        }
    }

    private func takeLines() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            var underWay = 0
            while let line = await Self.nextLine() {
                if underWay == Self.underWayMax {
                    try await group.next()
                    underWay -= 1
                }
                group.addTask {
                    let job = try await queue.accept(line)
                    say("accepted \(job.id) \(job.text)")
                }
                underWay += 1
            }
            try await group.waitForAll()
        }
    }

    private static let reading = DispatchQueue(label: "input")

    /// Waits on a thread that may; nil at the end, and for a task that is canceled.
    private static func nextLine() async -> String? {
        let (lines, continuation) = AsyncStream.makeStream(of: String.self)
        reading.async {
            if let line = readLine() { continuation.yield(line) }
            continuation.finish()
        }
        for await line in lines { return line }
        return nil
    }
}

/// One line on the standard output, at once.
func say(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = bytes.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
}
