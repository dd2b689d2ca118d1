import EtcdAPI
import HTTP
import Replica

/// What one server is told beside its place in the cluster.
struct ServerOptions: Sendable {
    struct Port: Sendable {
        var host: String
        var port: Int
        /// nil: plaintext.
        var tls: TLSServerOptions?
    }

    var hasReadLeases = false
    var hashCheckMilliseconds: UInt64 = 20_000
    var heartbeatMilliseconds: UInt64?
    var electionMilliseconds: UInt64?
    var quotaBytes: UInt64 = 0
    /// Where clients are served; nil: where the layout says, with its certificates.
    var clientPorts: [Port]?
    /// Where `/metrics` and the health pages are served alone.
    var metricsPorts: [Port] = []
    var peerListener: (host: String, port: Int)?
    /// nil: the certificates of the layout.
    var peerTLS: ReplicaConfiguration.PeerTLS?
    var compaction: AutoCompaction?
    /// How often quiet watchers that asked for it are told how far they are.
    var progressMilliseconds = EtcdAPI.progressNotify
    var auth = EtcdAuthOptions()
    /// Whether this process notes itself that the cluster is one; a supervisor does it for its own.
    var notesBootstrap = false
}
