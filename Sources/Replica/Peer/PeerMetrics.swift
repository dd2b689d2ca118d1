import Basics
import ReplicaCore

/// What passes between this replica and one peer.
final class PeerMetrics: Sendable {
    let sentBytes = Counter()
    let sentFailures = Counter()
    let receivedBytes = Counter()
    let receivedFailures = Counter()
    let roundTrip = Histogram(Histogram.doubling(from: 0.0001, count: 16))
}

extension PeerTransport {
    /// As in etcd, ids are hexadecimal, `To` and `From` are the peer.
    func write(to text: inout MetricsText) {
        let local = String(ownID, radix: 16)
        for link in currentLinks {
            let metrics = metrics(of: link.member.id)
            let peer = String(link.member.id, radix: 16)
            func count(_ name: String, _ direction: String, _ help: String, _ counter: Counter) {
                text.sample(
                    "etcd_network_peer_\(name)_total", .counter, help,
                    labels: "\(direction)=\"\(peer)\"", value: "\(counter.value)")
            }
            count("sent_bytes", "To", "Bytes sent to a peer.", metrics.sentBytes)
            count("sent_failures", "To", "Batches that were dropped.", metrics.sentFailures)
            count("received_bytes", "From", "Bytes received from a peer.", metrics.receivedBytes)
            count(
                "received_failures", "From", "Connections that broke the protocol.",
                metrics.receivedFailures)
            text.histogram(
                "etcd_network_peer_round_trip_time_seconds",
                "Round trips to a peer, as the kernel measures them on our connection.",
                labels: "To=\"\(peer)\"", metrics.roundTrip)
            text.sample(
                "etcd_network_active_peers", .gauge, "Whether the connection to a peer stands.",
                labels: "Local=\"\(local)\",Remote=\"\(peer)\"", value: link.isUp ? "1" : "0")
        }
    }
}
