internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import StrakeChecksum
internal import StrakeClientFlags
internal import StrakeEtcdWire
internal import StrakeFlags
internal import Synchronization

/// `strake ctl snapshot save`: writes what a member sends, under another name until all of it is there and checked.
struct SnapshotSave {
    private static let path = "/etcdserverpb.Maintenance/Snapshot"

    private let file: String
    private let endpoint: Endpoint
    private let security: ClientSecurity
    private let user: CtlUser?

    init(_ words: [String], _ flags: FlagSet) throws(CtlError) {
        guard words.count == 1 else { throw CtlError("snapshot save takes one FILE", exitCode: 2) }
        let endpoints = flags.endpoints("endpoints")
        // Members differ in what they have applied: which one is meant must be said (etcdctl's rule).
        guard endpoints.count == 1 else {
            throw CtlError("snapshot must be requested to one selected node, not multiple", exitCode: 2)
        }
        file = words[0]
        endpoint = endpoints[0]
        security = try ClientSecurity.read(flags)
        user = try CtlUser(flags)
    }

    func run() async throws(CtlError) {
        let draft = file + ".part"
        let writer = try DraftFile(draft)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let result: Result<Void, CtlError>
        do throws(CallError) {
            let call = GRPCCall(path: Self.path, message: [], security: security)
            try await call.run(at: endpoint, as: user, on: group) { message throws(CallError) in
                guard let part = try? message.withUnsafeBytes({ try SnapshotResponse(protobuf: $0) }) else {
                    throw CallError(message: "a message is no SnapshotResponse")
                }
                try writer.take(part.blob)
            }
            result = .success(())
        } catch {
            result = .failure(CtlError("\(endpoint): \(error.message)"))
        }
        try? await group.shutdownGracefully()
        do throws(CtlError) {
            try result.get()
            try writer.finish(as: file)
        } catch {
            unlink(draft)
            throw error
        }
        print("Snapshot saved at \(file)")
    }
}

/// The blobs as they come. The last of all is the checksum of those before.
private final class DraftFile: Sendable {
    private struct State {
        var sum = SHA256()
        /// It is not known yet whether it is the last.
        var last: [UInt8] = []
    }

    private let path: String
    private let descriptor: Int32
    private let state = Mutex(State())

    init(_ path: String) throws(CtlError) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw CtlError("\(path): \(String(cString: strerror(errno)))") }
    }

    deinit { close(descriptor) }

    func take(_ blob: [UInt8]) throws(CallError) {
        state.withLock { state in
            state.sum.add(state.last)
            state.last = blob
        }
        var offset = 0
        while offset < blob.count {
            let count = blob.withUnsafeBytes { write(descriptor, $0.baseAddress! + offset, $0.count - offset) }
            guard count > 0 || errno == EINTR else {
                throw CallError(message: "\(path): \(String(cString: strerror(errno)))")
            }
            offset += max(count, 0)
        }
    }

    func finish(as name: String) throws(CtlError) {
        let isWhole = state.withLock { $0.last == $0.sum.value }
        guard isWhole else { throw CtlError("what the member sent does not have the checksum that it sent") }
        guard fsync(descriptor) == 0, rename(path, name) == 0 else {
            throw CtlError("\(path): \(String(cString: strerror(errno)))")
        }
    }
}
