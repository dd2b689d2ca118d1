import Basics
import EtcdAPI

/// One member as etcd's flags describe it.
package struct EtcdOptions: Sendable {
    package struct Member: Sendable, Hashable {
        package var name: String
        package var peerURL: EtcdURL
        package var id: UInt64
    }

    package var name: String
    package var dataDirectory: String
    package var listenPeer: EtcdURL
    package var listenClients: [EtcdURL]
    package var listenMetrics: [EtcdURL]
    package var advertiseClients: [String]
    /// By name, this one among them.
    package var members: [Member]
    package var clusterID: UInt64
    package var isExisting: Bool
    package var heartbeatMilliseconds: UInt64?
    package var electionMilliseconds: UInt64?
    package var quotaBytes: UInt64
    package var compaction: AutoCompaction?
    package var corruptCheckMilliseconds: UInt64?
    package var progressMilliseconds: UInt64?
    package var tokens: EtcdTokens

    package init(_ flags: EtcdFlags) throws(EtcdFlags.Failure) {
        name = flags.text("name", default: "default")
        dataDirectory = flags.text("data-dir", default: name + ".etcd")
        let peers = try flags.urls("listen-peer-urls", default: "http://localhost:2380")
        guard peers.count == 1 else {
            throw EtcdFlags.Failure(
                description: "\(flags.source("listen-peer-urls")): one URL is supported")
        }
        listenPeer = peers[0]
        listenClients = try flags.urls("listen-client-urls", default: "http://localhost:2379")
        listenMetrics = try flags.urls("listen-metrics-urls", default: "")
        advertiseClients = try flags.urls(
            "advertise-client-urls", default: "http://localhost:2379"
        ).map(\.text)
        try flags.requireLoopbackIfPlain(peers, "listen-peer-urls")
        try flags.requireLoopbackIfPlain(listenClients, "listen-client-urls")
        try flags.requireLoopbackIfPlain(listenMetrics, "listen-metrics-urls")
        (members, clusterID) = try Self.cluster(flags, name)
        switch flags.text("initial-cluster-state", default: "new") {
        case "new": isExisting = false
        case "existing": isExisting = true
        case let other:
            throw EtcdFlags.Failure(
                description: "\(flags.source("initial-cluster-state")): \(other) is neither new"
                    + " nor existing")
        }
        (heartbeatMilliseconds, electionMilliseconds) = try Self.times(flags)
        quotaBytes = UInt64(max(0, try flags.number("quota-backend-bytes") ?? 0))
        compaction = try AutoCompaction(flags)
        corruptCheckMilliseconds = try Self.period(flags, "corrupt-check-time", takesZero: true)
        progressMilliseconds = try Self.period(
            flags, "watch-progress-notify-interval", takesZero: false)
        tokens = try EtcdTokens(flags)
    }

    private static func cluster(
        _ flags: EtcdFlags, _ name: String
    ) throws(EtcdFlags.Failure) -> ([Member], UInt64) {
        let advertised = try flags.urls(
            "initial-advertise-peer-urls", default: "http://localhost:2380")
        let text = flags.text(
            "initial-cluster", default: "\(name)=\(advertised.first?.text ?? "")")
        let token = flags.text("initial-cluster-token", default: "etcd-cluster")
        let source = flags.source("initial-cluster")
        var members: [Member] = []
        for part in text.split(separator: ",") {
            let sides = part.split(separator: "=", maxSplits: 1)
            guard sides.count == 2, let url = EtcdURL(sides[1]) else {
                throw EtcdFlags.Failure(description: "\(source): \(part) is not NAME=URL")
            }
            let name = String(sides[0])
            guard !members.contains(where: { $0.name == name }) else {
                throw EtcdFlags.Failure(description: "\(source): \(name) has more than one URL")
            }
            members.append(
                Member(
                    name: name, peerURL: url,
                    id: EtcdIdentity.member(peerURLs: [url.text], token: token)))
        }
        guard let own = members.first(where: { $0.name == name }) else {
            throw EtcdFlags.Failure(
                description: "\(source): couldn't find local name \"\(name)\" in the initial"
                    + " cluster configuration")
        }
        if flags.values["initial-advertise-peer-urls"] != nil, advertised != [own.peerURL] {
            throw EtcdFlags.Failure(
                description: "\(source) has \(own.peerURL.text) for \(name), but"
                    + " \(flags.source("initial-advertise-peer-urls")) is"
                    + " \(advertised.map(\.text).joined(separator: ","))")
        }
        guard members.allSatisfy({ $0.peerURL.isSecure == own.peerURL.isSecure }) else {
            throw EtcdFlags.Failure(description: "\(source) mixes http and https")
        }
        members.sort { $0.name < $1.name }
        return (members, EtcdIdentity.cluster(members: members.map(\.id)))
    }

    private static func times(
        _ flags: EtcdFlags
    ) throws(EtcdFlags.Failure) -> (UInt64?, UInt64?) {
        let heartbeat = try flags.number("heartbeat-interval")
        let election = try flags.number("election-timeout")
        for (name, value) in [("heartbeat-interval", heartbeat), ("election-timeout", election)] {
            if let value, value < 1 || value > 50_000 {
                throw EtcdFlags.Failure(
                    description: "\(flags.source(name)): \(value) ms is not within 1 and 50000")
            }
        }
        let (beat, silence) = (heartbeat ?? 50, election ?? 300)
        guard silence >= 5 * beat else {
            throw EtcdFlags.Failure(
                description: "--election-timeout[\(silence)ms] should be at least as 5 times as"
                    + " --heartbeat-interval[\(beat)ms]")
        }
        return (heartbeat.map { UInt64($0) }, election.map { UInt64($0) })
    }

    /// Milliseconds of a time in whole seconds; `0s` only where that means never.
    private static func period(
        _ flags: EtcdFlags, _ name: String, takesZero: Bool
    ) throws(EtcdFlags.Failure) -> UInt64? {
        guard let text = flags.values[name] else { return nil }
        if takesZero, text == "0" || text == "0s" { return 0 }
        guard let seconds = AutoCompaction.seconds(text) else {
            throw EtcdFlags.Failure(
                description: "\(flags.source(name)): \(text) is not a time as 20s")
        }
        return seconds * 1000
    }
}
