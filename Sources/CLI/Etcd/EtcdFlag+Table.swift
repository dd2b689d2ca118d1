import Basics

extension EtcdFlag {
    /// Every flag of etcd 3.5 and 3.6, in the order of etcd's help.
    package static let all: [EtcdFlag] = member + clustering + security + others

    package static func named(_ name: String) -> EtcdFlag? {
        all.first { $0.name == name || "experimental-\($0.name)" == name }
    }

    private static let bySize = "the log is cut by its size, not by entries"
    private static let noBolt = "the keyspace is LMDB, and there is no such setting"
    private static let joining =
        "list the members with --initial-cluster; a new member of a cluster that exists is added"
        + " with `martlet store member add`"

    private static let member: [EtcdFlag] = [
        .handled("name", "the member's name"),
        .handled("data-dir", "the folder; by default NAME.etcd"),
        .refused("wal-dir", "log and keyspace are in --data-dir; link DATA-DIR elsewhere"),
        .ignored("snapshot-count", bySize),
        .handled("heartbeat-interval", "milliseconds; by default 50"),
        .handled("election-timeout", "milliseconds, at least five heartbeats; by default 300"),
        .ignored("initial-election-tick-advance", "elections begin at once", isSwitch: true),
        .handled("listen-peer-urls", "one URL; http only on loopback"),
        .handled("listen-client-urls", "http only on loopback"),
        .refused(
            "listen-client-http-urls", "HTTP is served beside gRPC on --listen-client-urls"),
        .ignored("max-snapshots", bySize), .ignored("max-wals", bySize),
        .handled(
            "quota-backend-bytes",
            "raises the alarm NOSPACE by the bytes in use; 0: when the disk runs short. The alarm"
                + " goes by itself when a tenth is free again"),
        .ignored("backend-bbolt-freelist-type", noBolt),
        .ignored("backend-batch-interval", "every batch of entries is one transaction"),
        .ignored("backend-batch-limit", "every batch of entries is one transaction"),
        .refused(
            "max-txn-ops", "fixed at \(Limits.transactionOperationsMax), alike on all members",
            harmless: ["\(Limits.transactionOperationsMax)"]),
        .refused(
            "max-request-bytes", "fixed at \(Limits.requestBytesMax), alike on all members",
            harmless: ["\(Limits.requestBytesMax)"]),
        .ignored("max-concurrent-streams", "1000 a connection"),
        .ignored("grpc-keepalive-min-time", "pings are limited by rate"),
        .ignored("grpc-keepalive-interval", "TCP looks after idle connections"),
        .ignored("grpc-keepalive-timeout", "TCP looks after idle connections"),
        .ignored("socket-reuse-port", "one process listens on a port", isSwitch: true),
        .ignored("socket-reuse-address", "always on", isSwitch: true),
    ]

    private static let clustering: [EtcdFlag] = [
        .handled("initial-advertise-peer-urls", "one URL, that of --initial-cluster"),
        .handled("initial-cluster", "NAME=URL of every member, the same on all of them"),
        .handled(
            "initial-cluster-state",
            "new; existing only where --data-dir has the member already"),
        .handled("initial-cluster-token", "goes into the ids of cluster and members, as in etcd"),
        .handled("advertise-client-urls", "what `member list` shows"),
        .refused("discovery", joining), .refused("discovery-endpoints", joining),
        .refused("discovery-token", joining), .ignored("discovery-fallback", joining),
        .refused("discovery-proxy", joining), .refused("discovery-srv", joining),
        .refused("discovery-srv-name", joining),
        .ignored("discovery-dial-timeout", joining),
        .ignored("discovery-request-timeout", joining),
        .ignored("discovery-keepalive-time", joining),
        .ignored("discovery-keepalive-timeout", joining),
        .ignored("discovery-insecure-transport", joining, isSwitch: true),
        .ignored("discovery-insecure-skip-tls-verify", joining, isSwitch: true),
        .ignored("discovery-cert", joining), .ignored("discovery-key", joining),
        .ignored("discovery-cacert", joining), .ignored("discovery-user", joining),
        .ignored("discovery-password", joining),
        .ignored("strict-reconfig-check", "changes go through joint consensus", isSwitch: true),
        .ignored("pre-vote", "always on", isSwitch: true),
        .handled("auto-compaction-mode", "periodic or revision"),
        .handled("auto-compaction-retention", "a time as 30m or 1h, or a number of revisions"),
        .refused("enable-v2", "there is no v2 API", isSwitch: true),
        .ignored("v2-deprecation", "there is no v2 store"),
    ]

    private static let security: [EtcdFlag] = [
        .handled("cert-file", "PEM of the client port's certificate"),
        .handled("key-file", "PEM of its key"),
        .ignored("client-cert-file", "a member makes no calls to its own client port"),
        .ignored("client-key-file", "a member makes no calls to its own client port"),
        .handled("client-cert-auth", "clients must show a certificate", isSwitch: true),
        .handled("trusted-ca-file", "PEM of the authority of clients' certificates"),
        .refused("client-crl-file", "issue short-lived certificates instead"),
        .refused("client-cert-allowed-hostname", "use an authority for the store's clients alone"),
        .refused(
            "auto-tls", "`martlet up` makes authorities and certificates", isSwitch: true),
        .handled("peer-cert-file", "PEM of a certificate that does for both ends"),
        .handled("peer-key-file", "PEM of its key"),
        .refused("peer-client-cert-file", "--peer-cert-file does for both ends"),
        .refused("peer-client-key-file", "--peer-key-file does for both ends"),
        .ignored("peer-client-cert-auth", "always on with peer TLS", isSwitch: true),
        .handled("peer-trusted-ca-file", "PEM of the peers' authority"),
        .refused("peer-cert-allowed-cn", "use an authority for peers alone"),
        .refused("peer-cert-allowed-hostname", "use an authority for peers alone"),
        .refused(
            "peer-auto-tls", "`martlet up` makes authorities and certificates", isSwitch: true),
        .ignored("self-signed-cert-validity", "no certificate is made"),
        .refused("peer-crl-file", "issue short-lived certificates instead"),
        .ignored("cipher-suites", "TLS 1.2 and 1.3 with BoringSSL's defaults"),
        .ignored("tls-min-version", "TLS 1.2 and 1.3 with BoringSSL's defaults"),
        .ignored("tls-max-version", "TLS 1.2 and 1.3 with BoringSSL's defaults"),
        .ignored("cors", "no headers for browsers are sent"),
        .ignored("host-whitelist", "the host header decides nothing"),
        .handled(
            "auth-token",
            "simple, or jwt,sign-method=ES256,priv-key=FILE,pub-key=FILE,ttl=5m; with pub-key alone"
                + " tokens are only read"),
        .ignored("bcrypt-cost", "always 10"),
        .handled("auth-token-ttl", "seconds that a simple token is good unused; by default 300"),
    ]

    private static let others: [EtcdFlag] = [
        .ignored("enable-pprof", "use perf", isSwitch: true),
        .ignored("metrics", "everything is counted, histograms of calls too"),
        .handled("listen-metrics-urls", "pages alone: /metrics and health; http on loopback"),
        .ignored("logger", "one line for each event on standard error"),
        .ignored("log-outputs", "the log goes to standard error"),
        .ignored("log-level", "only what matters is logged"),
        .ignored("log-format", "lines of text"),
        .ignored("enable-log-rotation", "the log goes to standard error", isSwitch: true),
        .ignored("log-rotation-config-json", "the log goes to standard error"),
        .ignored("enable-distributed-tracing", "there are no traces", isSwitch: true),
        .ignored("distributed-tracing-address", "there are no traces"),
        .ignored("distributed-tracing-service-name", "there are no traces"),
        .ignored("distributed-tracing-instance-id", "there are no traces"),
        .ignored("distributed-tracing-sampling-rate", "there are no traces"),
        .refused("proxy", "there is no v2 proxy", harmless: ["off"]),
        .ignored("proxy-failure-wait", "there is no v2 proxy"),
        .ignored("proxy-refresh-interval", "there is no v2 proxy"),
        .ignored("proxy-dial-timeout", "there is no v2 proxy"),
        .ignored("proxy-write-timeout", "there is no v2 proxy"),
        .ignored("proxy-read-timeout", "there is no v2 proxy"),
        .ignored("initial-corrupt-check", "everything is checked as it is read", isSwitch: true),
        .handled("corrupt-check-time", "as Martlet's own --corrupt-check-time"),
        .ignored("compact-hash-check-enabled", "replicas compare hashes", isSwitch: true),
        .ignored("compact-hash-check-time", "replicas compare hashes"),
        .ignored("enable-grpc-gateway", "always on", isSwitch: true),
        .refused("enable-v2v3", "there is no v2 API"),
        .ignored("enable-lease-checkpoint", "always on", isSwitch: true),
        .ignored("enable-lease-checkpoint-persist", "always on", isSwitch: true),
        .ignored("compaction-batch-limit", "compaction goes on between writes"),
        .ignored("compaction-sleep-interval", "compaction goes on between writes"),
        .ignored(
            "peer-skip-client-san-verification", "only authority and name count", isSwitch: true),
        .handled("watch-progress-notify-interval", "in whole seconds; by default 10m"),
        .ignored("warning-apply-duration", "see etcd_server_slow_apply_total"),
        .ignored("warning-unary-request-duration", "see grpc_server_handling_seconds"),
        .ignored("max-learners", "as many as are added"),
        .ignored("memory-mlock", "pages of the map may be let go", isSwitch: true),
        .ignored("snapshot-catchup-entries", bySize),
        .ignored("stop-grpc-service-on-defrag", "defragmenting stops nothing", isSwitch: true),
        .ignored("feature-gates", "there are no gates"),
        .ignored("downgrade-check-time", "there is one format"),
        .ignored("txn-mode-write-with-shared-buffer", noBolt, isSwitch: true),
        .ignored("bootstrap-defrag-threshold-megabytes", "free pages are used again"),
        .refused("force-new-cluster", "use `martlet store recover`", isSwitch: true),
        .refused("unsafe-no-fsync", "an acknowledged write is durable", isSwitch: true),
        .refused("config-file", "write the file's settings as flags or ETCD_ variables"),
    ]
}
