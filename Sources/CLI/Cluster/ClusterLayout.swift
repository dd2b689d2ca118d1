import Documents
import Basics

/// What `DATA-DIR/cluster.json` says: who belongs to the cluster, at which addresses and ports.
struct ClusterLayout: Sendable, Hashable {
    struct Replica: Sendable, Hashable {
        /// 1-based, as in `replica-1`.
        var number: Int
        var memberID: UInt64
        /// IPv4 address that all ports of the replica listen on.
        var host = Self.loopback
        var storePort: Int
        var apiPort: Int
        var name: String
        var peerPort: Int
        /// What clients are told, where etcd's flags say it; else it follows from host and port.
        var clientURLs: [String] = []

        static let loopback = "127.0.0.1"

        /// As `martlet up` lays replicas out.
        init(
            number: Int, memberID: UInt64, host: String = Self.loopback, storePort: Int,
            apiPort: Int
        ) {
            self.number = number
            self.memberID = memberID
            self.host = host
            self.storePort = storePort
            self.apiPort = apiPort
            name = "replica-\(number)"
            peerPort = storePort + 1
        }
    }

    static let formatVersion: Int64 = 1

    var clusterID: UInt64
    var replicas: [Replica]
    var nodes: [String]
    var isStoreOnly: Bool
    var isPlaintext: Bool
    /// Where the state lies, if the servers have no replicas.
    var externalStore: ExternalStore?
    /// Set once every replica has answered: from then on an empty replica directory has lost
    /// data, and its replica must not vote.
    var isBootstrapped: Bool

    /// A new cluster; `random` makes the ids.
    static func new(
        _ shape: ClusterShape, random: inout some RandomNumberGenerator
    ) -> ClusterLayout {
        var layout = ClusterLayout(
            clusterID: UInt64.random(in: 1 ... .max, using: &random), replicas: [], nodes: [],
            isStoreOnly: shape.isStoreOnly, isPlaintext: shape.isPlaintext,
            isBootstrapped: false)
        for number in 1...shape.replicaCount {
            layout.replicas.append(
                Replica(
                    number: number, memberID: UInt64.random(in: 1 ... .max, using: &random),
                    storePort: 0, apiPort: 0))
        }
        layout.apply(shape)
        return layout
    }

    /// Takes over what may change between two runs: addresses, ports, nodes and modes.
    mutating func apply(_ shape: ClusterShape) {
        for index in replicas.indices {
            replicas[index].host = shape.host(index)
            replicas[index].storePort = shape.storePort + 10 * index
            replicas[index].peerPort = replicas[index].storePort + 1
            replicas[index].apiPort = shape.apiPort + index
        }
        nodes = (0..<shape.nodeCount).map { "node-\($0 + 1)" }
        isStoreOnly = shape.isStoreOnly
        isPlaintext = shape.isPlaintext
        externalStore = shape.externalStore
    }

    var storeEndpoints: [String] {
        replicas.flatMap { $0.clientURLs.isEmpty ? [url(of: $0)] : $0.clientURLs }
    }

    private func url(of replica: Replica) -> String {
        (isPlaintext ? "http" : "https") + "://\(replica.host):\(replica.storePort)"
    }

    func replica(_ number: Int) throws(CommandError) -> Replica {
        guard let found = replicas.first(where: { $0.number == number }) else {
            throw CommandError("there is no replica \(number): the cluster has \(replicas.count)")
        }
        return found
    }
}

/// What the flags of `martlet up` ask for.
struct ClusterShape: Sendable, Hashable {
    var replicaCount = 3
    /// One address a replica; none: loopback.
    var hosts: [String] = []
    var nodeCount = 1
    var storePort = 2379
    var apiPort = 6443
    var isStoreOnly = false
    var isPlaintext = false
    var externalStore: ExternalStore?

    func host(_ index: Int) -> String {
        hosts.isEmpty ? ClusterLayout.Replica.loopback : hosts[index]
    }
}

extension ClusterLayout {
    var json: JSON {
        var members: [JSON] = []
        for replica in replicas {
            members.append([
                "name": .string(replica.name), "id": .string(hexadecimal(replica.memberID)),
                "host": .string(replica.host),
                "storePort": .integer(Int64(replica.storePort)),
                "peerPort": .integer(Int64(replica.peerPort)),
                "apiPort": .integer(Int64(replica.apiPort)),
                "clientURLs": .array(replica.clientURLs.map { .string($0) }),
            ])
        }
        var json: JSON = [
            "format": .integer(Self.formatVersion), "clusterID": .string(hexadecimal(clusterID)),
            "members": .array(members), "nodes": .array(nodes.map { .string($0) }),
            "storeOnly": .bool(isStoreOnly), "plaintext": .bool(isPlaintext),
            "bootstrapped": .bool(isBootstrapped),
        ]
        if let externalStore { json["externalStore"] = externalStore.json }
        return json
    }

    init(json: JSON, path: String) throws(CommandError) {
        func fail(_ field: String) -> CommandError { CommandError("\(path): bad \(field)") }
        guard let format = json["format"]?.intValue else { throw fail("format") }
        guard format <= Self.formatVersion else {
            throw CommandError(
                "\(path): format \(format) is newer than this martlet understands"
                    + " (\(Self.formatVersion))",
                exitCode: FatalExit.foreignDirectory.rawValue)
        }
        guard let cluster = json["clusterID"]?.stringValue, let id = UInt64(cluster, radix: 16)
        else { throw fail("clusterID") }
        guard let members = json["members"]?.arrayValue, !members.isEmpty else {
            throw fail("members")
        }
        clusterID = id
        replicas = []
        for (index, member) in members.enumerated() {
            guard let text = member["id"]?.stringValue, let id = UInt64(text, radix: 16),
                let store = member["storePort"]?.intValue, let api = member["apiPort"]?.intValue
            else { throw fail("members[\(index)]") }
            var replica = Replica(
                number: index + 1, memberID: id,
                host: member["host"]?.stringValue ?? Replica.loopback, storePort: Int(store),
                apiPort: Int(api))
            if let name = member["name"]?.stringValue { replica.name = name }
            if let port = member["peerPort"]?.intValue { replica.peerPort = Int(port) }
            replica.clientURLs = (member["clientURLs"]?.arrayValue ?? []).compactMap(\.stringValue)
            replicas.append(replica)
        }
        nodes = (json["nodes"]?.arrayValue ?? []).compactMap { $0.stringValue }
        isStoreOnly = json["storeOnly"]?.boolValue ?? false
        isPlaintext = json["plaintext"]?.boolValue ?? false
        isBootstrapped = json["bootstrapped"]?.boolValue ?? false
        externalStore = json["externalStore"].flatMap { ExternalStore(json: $0) }
    }
}

/// Sixteen lower-case digits.
func hexadecimal(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}
