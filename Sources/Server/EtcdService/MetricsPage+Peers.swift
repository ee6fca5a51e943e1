internal import StrakeModel
package import StrakeStore
internal import Synchronization

/// What went between this member and another one.
package struct PeerFigures: Sendable {
    package var member: UInt64
    package var bytesSent: UInt64
    package var bytesReceived: UInt64
    /// Messages that were given up.
    package var sendFailures: UInt64
    package var isConnected: Bool
    package var disconnections: UInt64
    package var roundTrips: Histogram
    package var snapshotsSent: TransferCounters
    package var snapshotsReceived: TransferCounters

    package init(
        member: UInt64, bytesSent: UInt64, bytesReceived: UInt64, sendFailures: UInt64, isConnected: Bool,
        disconnections: UInt64, roundTrips: Histogram, snapshotsSent: TransferCounters,
        snapshotsReceived: TransferCounters
    ) {
        self.member = member
        self.bytesSent = bytesSent
        self.bytesReceived = bytesReceived
        self.sendFailures = sendFailures
        self.isConnected = isConnected
        self.disconnections = disconnections
        self.roundTrips = roundTrips
        self.snapshotsSent = snapshotsSent
        self.snapshotsReceived = snapshotsReceived
    }
}

extension MetricsPage {
    mutating func peers(_ service: Service) {
        let own = String(service.store.memberID, radix: 16)
        family("etcd_network_known_peers", "gauge", "The current number of known peers.")
        for member in service.store.members {
            sample("etcd_network_known_peers{Local=\"\(own)\",Remote=\"\(String(member.id, radix: 16))\"}", 1)
        }
        let figures = service.options.peerFigures().map { (String($0.member, radix: 16), $0) }
        // As etcd does it: families of labelled series begin with their first series.
        guard !figures.isEmpty else { return }
        family("etcd_network_peer_received_bytes_total", "counter", "The total number of bytes received from peers.")
        for (id, peer) in figures {
            sample("etcd_network_peer_received_bytes_total{From=\"\(id)\"}", Int(peer.bytesReceived))
        }
        family("etcd_network_peer_sent_bytes_total", "counter", "The total number of bytes sent to peers.")
        for (id, peer) in figures { sample("etcd_network_peer_sent_bytes_total{To=\"\(id)\"}", Int(peer.bytesSent)) }
        family("etcd_network_peer_sent_failures_total", "counter", "The total number of send failures from peers.")
        for (id, peer) in figures {
            sample("etcd_network_peer_sent_failures_total{To=\"\(id)\"}", Int(peer.sendFailures))
        }
        let roundTrip = "etcd_network_peer_round_trip_time_seconds"
        family(roundTrip, "histogram", "Round-Trip-Time histogram between peers")
        for (id, peer) in figures { histogram(roundTrip, labels: "To=\"\(id)\"", peer.roundTrips) }
        family("etcd_network_active_peers", "gauge", "Whether this member is connected to a peer: 1, or 0.")
        for (id, peer) in figures {
            sample("etcd_network_active_peers{Local=\"\(own)\",Remote=\"\(id)\"}", peer.isConnected ? 1 : 0)
        }
        family("etcd_network_disconnected_peers_total", "counter", "The total number of disconnected peers.")
        for (id, peer) in figures {
            sample(
                "etcd_network_disconnected_peers_total{Local=\"\(own)\",Remote=\"\(id)\"}", Int(peer.disconnections))
        }
        transfers("send", "To", "snapshot sends", figures.map { ($0.0, $0.1.snapshotsSent) })
        transfers("receive", "From", "snapshot receives", figures.map { ($0.0, $0.1.snapshotsReceived) })
    }

    /// Of the members with which there were any.
    private mutating func transfers(
        _ verb: String, _ label: String, _ what: String, _ counters: [(id: String, counters: TransferCounters)]
    ) {
        let used = counters.filter { $0.counters.isUsed }
        guard !used.isEmpty else { return }
        let prefix = "etcd_network_snapshot_\(verb)_"
        family(prefix + "success", "counter", "Total number of successful \(what)")
        for (id, counters) in used {
            sample("\(prefix)success{\(label)=\"\(id)\"}", Int(counters.successes.load(ordering: .relaxed)))
        }
        family(prefix + "failures", "counter", "Total number of failed \(what)")
        for (id, counters) in used {
            sample("\(prefix)failures{\(label)=\"\(id)\"}", Int(counters.failures.load(ordering: .relaxed)))
        }
        family(prefix + "inflights_total", "gauge", "Number of \(what) under way")
        for (id, counters) in used {
            sample("\(prefix)inflights_total{\(label)=\"\(id)\"}", counters.inFlight.load(ordering: .relaxed))
        }
        // Its histograms come with their first observation.
        guard used.contains(where: { $0.counters.successes.load(ordering: .relaxed) > 0 }) else { return }
        let times = prefix + "total_duration_seconds"
        family(times, "histogram", "Time from the beginning of \(what) to their success")
        for (id, counters) in used { histogram(times, labels: "\(label)=\"\(id)\"", counters.times) }
    }
}
