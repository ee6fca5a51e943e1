internal import Glibc
internal import StrakeChecksum
internal import StrakeClient

/// `strake ctl snapshot save`: writes what a member sends, under another name until all of it is there and checked.
struct SnapshotSave {
    static let details = """
        It writes what one member (--endpoints) has, in etcd's format, and takes etcd servers too. --command-timeout bounds
        all of it where it is given; without it there is no bound but --keepalive-time and --keepalive-timeout: a member that
        gives no sign of life for so long ends it.
        """

    private let file: String
    private let client: StrakeClient
    private let context: CommandContext

    init(_ context: CommandContext) throws(CommandFailure) {
        guard context.words.count == 1 else { throw .arguments("snapshot save expects one argument") }
        let endpoints = context.endpoints
        // Members differ in what they have applied: which one is meant must be said (etcdctl's rule).
        guard endpoints.count == 1 else {
            throw CommandFailure(
                "snapshot must be requested to one selected node, not multiple [\(endpoints.joined(separator: " "))]",
                CommandFailure.interrupted)
        }
        file = context.words[0]
        self.context = context
        // A member that is not there is not asked again: nobody waits for a backup that does not begin.
        client = try context.lazyClient { $0.maxUnaryTries = 1 }
    }

    func run() async throws(CommandFailure) {
        let draft = file + ".part"
        let writer = try DraftFile(draft)
        defer { client.close() }
        do throws(CommandFailure) {
            try await receive(into: writer)
            try writer.finish(as: file)
        } catch {
            unlink(draft)
            throw error
        }
        CommandOutput.line("Snapshot saved at \(file)")
    }

    /// A disk that is slow keeps the member waiting: no more comes meanwhile than fits on the way.
    private func receive(into writer: DraftFile) async throws(CommandFailure) {
        let arguments = context.arguments
        let timeout = arguments.isSet("command-timeout") ? arguments.duration("command-timeout") : nil
        var blobs = try await answer { () async throws(StrakeClientError) in
            try await client.snapshot(within: timeout)
        }.makeAsyncIterator()
        while let blob = try await answer({ () async throws(StrakeClientError) in try await blobs.next() }) {
            try writer.take(blob)
        }
    }

    /// What the member says, or why it does not.
    private func answer<Value>(
        _ call: () async throws(StrakeClientError) -> Value
    ) async throws(CommandFailure) -> Value {
        try await context.call(failure: CommandFailure.interrupted, call)
    }
}

/// The blobs as they come. The last of all is the checksum of those before.
private final class DraftFile {
    private let path: String
    private let descriptor: Int32
    private var sum = SHA256()
    /// It is not known yet whether it is the last.
    private var last: [UInt8] = []

    init(_ path: String) throws(CommandFailure) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw CommandFailure("\(path): \(String(cString: strerror(errno)))") }
    }

    deinit { close(descriptor) }

    func take(_ blob: [UInt8]) throws(CommandFailure) {
        sum.add(last)
        last = blob
        var offset = 0
        while offset < blob.count {
            let count = blob.withUnsafeBytes { write(descriptor, $0.baseAddress! + offset, $0.count - offset) }
            guard count > 0 || errno == EINTR else {
                throw CommandFailure("\(path): \(String(cString: strerror(errno)))")
            }
            offset += max(count, 0)
        }
    }

    func finish(as name: String) throws(CommandFailure) {
        guard last == sum.value else {
            throw CommandFailure("what the member sent does not have the checksum that it sent")
        }
        guard fsync(descriptor) == 0, rename(path, name) == 0 else {
            throw CommandFailure("\(path): \(String(cString: strerror(errno)))")
        }
    }
}
