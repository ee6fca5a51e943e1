internal import StrakeModel
package import StrakeStore

/// What went between this member and another one.
package struct PeerFigures: Sendable {
    package var member: UInt64
    package var bytesSent: UInt64
    package var bytesReceived: UInt64
    /// Messages that were given up.
    package var sendFailures: UInt64
    package var roundTrips: Histogram

    package init(
        member: UInt64, bytesSent: UInt64, bytesReceived: UInt64, sendFailures: UInt64, roundTrips: Histogram
    ) {
        self.member = member
        self.bytesSent = bytesSent
        self.bytesReceived = bytesReceived
        self.sendFailures = sendFailures
        self.roundTrips = roundTrips
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
    }
}
