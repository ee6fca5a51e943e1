internal import NIOCore
internal import NIOPosix
internal import StrakeClient
internal import StrakeModel

/// The way of a new member to the others: a register that another cluster keeps (etcd's v3 discovery).
///
/// A member that cannot ask tries on, as etcd does: whoever started it may start the other cluster later.
package struct DiscoveryService {
    /// Longest answer taken. There are a few members, of a few URLs each.
    static let answerBytesMax = 1 << 20
    /// Pauses double from 2 s up to here, 256 s: etcd's.
    static let pauseDoublingsMax = 8

    private let client: StrakeClient
    private let keys: RegistryKeys
    private let key: String
    private let entries: String
    private let tell: @Sendable (DiscoveryNotice) -> Void
    /// Failures in a row.
    private var failures = 0

    /// Registers a member, and waits until as many have as the cluster is to have.
    ///
    /// What it runs on is gone when it returns.
    ///
    /// - Parameters:
    ///   - member: Its id.
    ///   - entries: `name=url`, more of them comma-separated.
    ///   - tell: What happens meanwhile.
    /// - Returns: The members, in the form of `--initial-cluster`.
    package static func join(
        _ options: DiscoveryOptions, as member: UInt64, entries: String,
        tell: @escaping @Sendable (DiscoveryNotice) -> Void
    ) async throws(DiscoveryError) -> String {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let outcome: Result<String, DiscoveryError>
        do throws(DiscoveryError) {
            var service = try DiscoveryService(options, member, entries, group, tell)
            let found = await service.cluster()
            service.client.close()
            outcome = found
        } catch {
            outcome = .failure(error)
        }
        // Its end cannot be missed: nothing else runs on it.
        try? await group.shutdownGracefully()
        return try outcome.get()
    }

    private init(
        _ options: DiscoveryOptions, _ member: UInt64, _ entries: String, _ group: any EventLoopGroup,
        _ tell: @escaping @Sendable (DiscoveryNotice) -> Void
    ) throws(DiscoveryError) {
        var client = options.client
        client.eventLoopGroup = group
        client.maxCallReceiveBytes = Self.answerBytesMax
        do throws(StrakeClientError) {
            self.client = try StrakeClient(endpoints: options.endpoints, options: client)
        } catch {
            throw .unusable(error.message)
        }
        keys = RegistryKeys(token: options.token)
        key = keys.member(member)
        self.entries = entries
        self.tell = tell
    }

    private mutating func cluster() async -> Result<String, DiscoveryError> {
        do throws(DiscoveryError) {
            // First: who has no place leaves no trace.
            _ = try await look()
            try await register()
            var (members, size, revision) = try await look()
            while members.count < size {
                try await wait(for: &members, size: size, after: revision)
                // Not all came, and what they wrote can no longer be watched: begin anew.
                if members.count < size { (members, size, revision) = try await look() }
            }
            tell(.complete(size: size, found: members.count))
            return .success(members.initialCluster(size: size))
        } catch {
            return .failure(error)
        }
    }

    // MARK: - Steps

    /// Reads what the register has, and whether there is room in it.
    private mutating func look() async throws(DiscoveryError) -> (RegisteredMembers, size: Int, revision: Int64) {
        let size = try await size()
        while true {
            let answer: Answer<RangeResponse>
            do throws(StrakeClientError) {
                answer = try await client.get(keys.members)
            } catch {
                try await pause(after: error, .members)
                continue
            }
            failures = 0
            var members = RegisteredMembers()
            for pair in answer.keyValues { add(pair, to: &members) }
            guard members.hasRoom(for: key, size: size) else { throw .full(size: size) }
            return (members, size, answer.header.revision)
        }
    }

    private mutating func size() async throws(DiscoveryError) -> Int {
        while true {
            let pair: KeyValue?
            do throws(StrakeClientError) {
                pair = try await client.get(keys.size).keyValues.first
            } catch {
                try await pause(after: error, .size)
                continue
            }
            guard let pair else { throw .sizeNotFound(key: keys.size) }
            guard let size = Int(String(decoding: pair.value, as: UTF8.self)), size > 0 else {
                throw .badSize(key: keys.size)
            }
            return size
        }
    }

    private mutating func register() async throws(DiscoveryError) {
        while true {
            do throws(StrakeClientError) {
                // Once more does no harm: the key keeps its create revision.
                try await client.put(key, entries)
                failures = 0
                tell(.registered(key: key, entries: entries))
                return
            } catch {
                try await pause(after: error, .registration)
            }
        }
    }

    /// Returns when there are enough, or when changes after the revision cannot be had.
    private mutating func wait(
        for members: inout RegisteredMembers, size: Int, after revision: Int64
    ) async throws(DiscoveryError) {
        tell(.waiting(size: size, found: members.count))
        var options = WatchOptions()
        options.revision = revision + 1
        do throws(StrakeClientError) {
            let watch = try await client.watch(keys.members, options)
            defer { watch.cancel() }
            for try await change in watch {
                for event in change.events { add(event.keyValue, to: &members) }
                if members.count >= size { return }
            }
        } catch {
            if !error.isCompacted { try await pause(after: error, .wait) }
        }
    }

    private func add(_ pair: KeyValue, to members: inout RegisteredMembers) {
        let key = Self.trimmed(pair.key)
        do throws(RegisteredMembers.Problem) {
            let entries = Self.trimmed(pair.value)
            try members.add(key: key, entries: entries, createRevision: pair.createRevision)
            tell(.found(key: key, entries: entries))
        } catch {
            tell(.ignored(key: key, problem: error))
        }
    }

    /// People write such values by hand.
    private static func trimmed(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let last = text.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(text[...last].drop(while: \.isWhitespace))
    }

    // MARK: - Failures

    /// Returns when it is time for another try.
    private mutating func pause(
        after error: StrakeClientError, _ step: DiscoveryNotice.Step
    ) async throws(DiscoveryError) {
        // A wrong password does not become right.
        if error.code == .invalidArgument { throw .refused(error.message) }
        failures += 1
        let seconds = 1 << min(failures, Self.pauseDoublingsMax)
        tell(.failed(step, error: error.message, pauseSeconds: seconds))
        try? await Task.sleep(for: .seconds(seconds))
    }
}
