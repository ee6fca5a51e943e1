internal import Synchronization

/// Calls of one event loop by the version that their clients say they are of, until they are added to everybody's.
struct ClientTally {
    /// Versions that are told apart; what comes after counts as `other`: clients may say what they like.
    private static let versionsMax = 64
    /// Bytes of a version; a longer one counts as `other`.
    private static let bytesMax = 64

    private struct Version {
        var name: [UInt8]
        var unary = 0
        var streams = 0
        /// Of all loops; looked up once.
        var shared: ClientCounters?
    }

    /// The first two are for those that say nothing, and for those beyond the bounds.
    private var versions = [Version(name: Array("unknown".utf8)), Version(name: Array("other".utf8))]
    /// Where the last call's was: the next one's is most likely the same.
    private var place = 0

    /// - Parameter version: As the call's header says; nil without it.
    mutating func add(_ version: UnsafeRawBufferPointer?, isUnary: Bool) {
        let found = find(version)
        if isUnary { versions[found].unary += 1 } else { versions[found].streams += 1 }
    }

    private mutating func find(_ version: UnsafeRawBufferPointer?) -> Int {
        guard let version else { return 0 }
        if version.elementsEqual(versions[place].name) { return place }
        if let found = versions.firstIndex(where: { version.elementsEqual($0.name) }) {
            place = found
        } else if versions.count < Self.versionsMax, version.count <= Self.bytesMax {
            place = versions.count
            versions.append(Version(name: Array(version)))
        } else {
            return 1
        }
        return place
    }

    mutating func flush(into requests: ClientRequests) {
        for place in versions.indices where versions[place].unary + versions[place].streams > 0 {
            let shared = versions[place].shared ?? requests.counters(of: versions[place].name)
            versions[place].shared = shared
            shared.unary.add(versions[place].unary)
            shared.streams.add(versions[place].streams)
            versions[place].unary = 0
            versions[place].streams = 0
        }
    }
}

/// Calls of clients of one version.
final class ClientCounters: Sendable {
    let unary = Counter()
    let streams = Counter()
}

/// The same of all event loops.
final class ClientRequests: Sendable {
    private let counters = Mutex<[String: ClientCounters]>([:])

    func counters(of version: [UInt8]) -> ClientCounters {
        let name = String(decoding: version, as: UTF8.self)
        return counters.withLock { counters in
            let found = counters[name] ?? ClientCounters()
            counters[name] = found
            return found
        }
    }

    /// By version.
    var all: [(version: String, counters: ClientCounters)] {
        counters.withLock { counters in counters.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
    }
}
