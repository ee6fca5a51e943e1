internal import Glibc
internal import StrakeChecksum
internal import StrakeClient
internal import StrakeFlags

/// `strake ctl snapshot save`: writes what a member sends, under another name until all of it is there and checked.
struct SnapshotSave {
    private let file: String
    private let endpoint: Endpoint
    private let client: StrakeClient

    init(_ words: [String], _ flags: FlagSet) throws(CtlError) {
        guard words.count == 1 else { throw CtlError("snapshot save takes one FILE", exitCode: 2) }
        let endpoints = flags.endpoints("endpoints")
        // Members differ in what they have applied: which one is meant must be said (etcdctl's rule).
        guard endpoints.count == 1 else {
            throw CtlError("snapshot must be requested to one selected node, not multiple", exitCode: 2)
        }
        file = words[0]
        endpoint = endpoints[0]
        client = try CtlClient.make(flags, endpoints)
    }

    func run() async throws(CtlError) {
        let draft = file + ".part"
        let writer = try DraftFile(draft)
        defer { client.close() }
        do throws(CtlError) {
            try await receive(into: writer)
            try writer.finish(as: file)
        } catch {
            unlink(draft)
            throw error
        }
        print("Snapshot saved at \(file)")
    }

    /// A disk that is slow keeps the member waiting: no more comes meanwhile than fits on the way.
    private func receive(into writer: DraftFile) async throws(CtlError) {
        var blobs = try await answer { () async throws(StrakeClientError) in try await client.snapshot() }
            .makeAsyncIterator()
        while let blob = try await answer({ () async throws(StrakeClientError) in try await blobs.next() }) {
            try writer.take(blob)
        }
    }

    /// What the member says, or why it does not.
    private func answer<Value>(
        _ call: () async throws(StrakeClientError) -> Value
    ) async throws(CtlError) -> Value {
        do throws(StrakeClientError) {
            return try await call()
        } catch {
            throw CtlError("\(endpoint): \(error.message)")
        }
    }
}

/// The blobs as they come. The last of all is the checksum of those before.
private final class DraftFile {
    private let path: String
    private let descriptor: Int32
    private var sum = SHA256()
    /// It is not known yet whether it is the last.
    private var last: [UInt8] = []

    init(_ path: String) throws(CtlError) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw CtlError("\(path): \(String(cString: strerror(errno)))") }
    }

    deinit { close(descriptor) }

    func take(_ blob: [UInt8]) throws(CtlError) {
        sum.add(last)
        last = blob
        var offset = 0
        while offset < blob.count {
            let count = blob.withUnsafeBytes { write(descriptor, $0.baseAddress! + offset, $0.count - offset) }
            guard count > 0 || errno == EINTR else {
                throw CtlError("\(path): \(String(cString: strerror(errno)))")
            }
            offset += max(count, 0)
        }
    }

    func finish(as name: String) throws(CtlError) {
        guard last == sum.value else { throw CtlError("what the member sent does not have the checksum that it sent") }
        guard fsync(descriptor) == 0, rename(path, name) == 0 else {
            throw CtlError("\(path): \(String(cString: strerror(errno)))")
        }
    }
}
