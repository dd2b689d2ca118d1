import Basics
import Glibc
import Keyspace
import NIOCore
import NIOPosix
import PKI
import Raft
import Replica
import ReplicaCore
import TestSupport
import Testing

/// Three replicas in this process, on loopback ports, with mutual TLS.
final class TestCluster: @unchecked Sendable {
    // Sendable because each test uses its cluster from one task.
    let path: String
    let clusterID: UInt64 = 0xabcd
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    let members: [ReplicaMember]
    /// The cluster begins with the first so many; the others can be taken in.
    let initialCount: Int
    private let tls: [ReplicaConfiguration.PeerTLS]
    private(set) var replicas: [Replica?]
    let failures = Locked<[ReplicaFailure]>([])
    var isNew = true
    var adjust: (inout ReplicaConfiguration) -> Void = { _ in }

    /// Below the ports that outgoing connections get.
    private static let nextPort = Locked(10_000 + Int(getpid()) % 20_000)

    init(_ count: Int = 3, of total: Int? = nil) throws {
        initialCount = count
        let count = total ?? count
        path = "/tmp/martlet-replica-\(getpid())-\(Self.ports(1)[0])"
        unsafe mkdir(path, 0o700)
        let ports = Self.ports(count)
        members = ports.enumerated().map { number, port in
            ReplicaMember(
                id: UInt64(number + 1) * 1000, name: "replica-\(number + 1)",
                peerHost: "127.0.0.1", peerPort: port,
                clientURLs: ["https://127.0.0.1:\(port)"])
        }
        let authority = try CertificateAuthority.create(commonName: "peers", now: .now())
        tls = try members.map { member in
            let pair = try authority.issue(
                CertificateRequest(
                    commonName: member.name, serverNames: ["127.0.0.1"], isServer: true,
                    isClient: true), now: .now())
            return ReplicaConfiguration.PeerTLS(
                authorityPEM: authority.pair.certificatePEM,
                certificatePEM: pair.certificatePEM, keyPEM: pair.keyPEM)
        }
        replicas = Array(repeating: nil, count: count)
    }

    private static func ports(_ count: Int) -> [Int] {
        nextPort.withLock { next in
            while (next..<next + count).contains(where: { ReservedPort($0) == nil }) {
                next += count
            }
            defer { next += count }
            return Array(next..<next + count)
        }
    }

    func directory(_ index: Int) -> String { path + "/" + members[index].name }

    func start(_ index: Int) throws(ReplicaFailure) {
        var configuration = ReplicaConfiguration(
            directory: directory(index), clusterID: clusterID, name: members[index].name,
            members: index < initialCount ? Array(members.prefix(initialCount)) : members,
            tls: tls[index], group: group, seed: UInt64(index) * 77 + 5)
        configuration.isNewCluster = isNew && index < initialCount
        configuration.campaignsAtOnce = index == 0
        let failures = failures
        configuration.onFailure = { failure in failures.withLock { $0.append(failure) } }
        adjust(&configuration)
        replicas[index] = try Self.start(configuration)
    }

    /// A process that another test forks has the descriptors of the listeners that were just closed
    /// until it executes its program: their ports are taken for a moment longer.
    private static func start(
        _ configuration: ReplicaConfiguration
    ) throws(ReplicaFailure) -> Replica {
        let deadline = MonotonicTime.now().advanced(milliseconds: 5_000)
        while true {
            do throws(ReplicaFailure) {
                return try Replica.start(configuration)
            } catch {
                let isTaken = error.description.contains("Address already in use")
                guard isTaken, MonotonicTime.now() < deadline else { throw error }
                usleep(10_000)
            }
        }
    }

    func startAll() throws {
        for index in 0..<initialCount { try start(index) }
        isNew = false
    }

    subscript(index: Int) -> Replica {
        guard let replica = replicas[index] else { preconditionFailure("not running") }
        return replica
    }

    func stop(_ index: Int) {
        replicas[index]?.stop()
        replicas[index] = nil
    }

    func remove(_ index: Int) {
        for folder in ["log", "keyspace", "snapshots", "keyspace.new"] {
            removeTree(directory(index) + "/" + folder)
        }
        removeTree(directory(index))
    }

    private func removeTree(_ path: String) {
        if let folder = unsafe opendir(path) {
            while let entry = unsafe readdir(folder) {
                let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                    unsafe String(
                        cString: UnsafeRawPointer(pointer).assumingMemoryBound(to: CChar.self))
                }
                if name != "." && name != ".." { unsafe unlink(path + "/" + name) }
            }
            unsafe closedir(folder)
        }
        unsafe rmdir(path)
    }

    func end() async throws {
        for index in members.indices { stop(index) }
        for index in members.indices { remove(index) }
        unsafe rmdir(path)
        try await group.shutdownGracefully()
    }

    /// Index of the replica that leads.
    func leader() async throws -> Int {
        try await eventually("a leader") {
            replicas.firstIndex { $0?.status.role == .leader }
        }
    }

    func put(_ index: Int, _ key: String, _ value: String) async -> Result<Int64, StoreError> {
        let request = TransactionRequest(
            success: [.put(PutRequest(key: Array(key.utf8), value: Array(value.utf8)))])
        return await withCheckedContinuation { continuation in
            self[index].propose(.transaction(request), bytesMax: .max) { result in
                continuation.resume(
                    returning: result.flatMap { applied in
                        guard case .transaction(let answer) = applied else {
                            return .failure(.leaderChanged)
                        }
                        return answer.map(\.revision)
                    })
            }
        }
    }

    /// Puts until it is acknowledged.
    func mustPut(_ index: Int, _ key: String, _ value: String) async throws {
        _ = try await eventually("put \(key)") {
            try? await put(index, key, value).get()
        }
    }

    func propose(_ index: Int, _ command: Command) async -> Result<CommandResult, StoreError> {
        await withCheckedContinuation { continuation in
            self[index].propose(command, bytesMax: .max) { continuation.resume(returning: $0) }
        }
    }

    func keepAlive(_ index: Int, _ lease: Int64) async -> Result<Int64, StoreError> {
        await withCheckedContinuation { continuation in
            self[index].leaseKeepAlive(lease) { continuation.resume(returning: $0) }
        }
    }

    func scrub(_ index: Int) async -> Result<ScrubReport, StoreError> {
        await withCheckedContinuation { continuation in
            self[index].scrub { continuation.resume(returning: $0) }
        }
    }

    func replace(_ index: Int, _ name: String) async -> Result<UInt64, StoreError> {
        await change(index, .replace(name: name))
    }

    /// Whether one replica's connection to another stands.
    func isConnected(_ index: Int, to peer: UInt64) -> Bool {
        var text = MetricsText()
        self[index].write(to: &text)
        return text.text.contains("Remote=\"\(String(peer, radix: 16))\"} 1\n")
    }

    func change(_ index: Int, _ request: MemberRequest) async -> Result<UInt64, StoreError> {
        await withCheckedContinuation { continuation in
            self[index].changeMembers(request) { continuation.resume(returning: $0) }
        }
    }

    func transfer(_ index: Int, to member: UInt64) async -> Result<UInt64, StoreError> {
        await withCheckedContinuation { continuation in
            self[index].transferLeadership(to: member) { continuation.resume(returning: $0) }
        }
    }

    /// Whoever is known at this replica by that name.
    func member(_ name: String, at index: Int) -> ReplicaMember? {
        self[index].status.members.first { $0.name == name }
    }

    func range(_ index: Int, _ request: RangeRequest) async -> Result<RangeResponse, StoreError> {
        await withCheckedContinuation { continuation in
            self[index].readBarrier { read in
                continuation.resume(returning: read.flatMap { $0.range(request) })
            }
        }
    }

    func write(_ index: Int, _ file: String, _ text: String) throws {
        let path = directory(index) + "/" + file
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        #expect(descriptor >= 0)
        let bytes = Array(text.utf8)
        let count = unsafe bytes.withUnsafeBytes { raw in
            unsafe Glibc.write(descriptor, raw.baseAddress, raw.count)
        }
        #expect(count == bytes.count)
        close(descriptor)
    }

    func sendGarbage(to index: Int) async throws {
        let channel = try await ClientBootstrap(group: group)
            .connect(host: "127.0.0.1", port: members[index].peerPort).get()
        let garbage = ByteBuffer(repeating: 0x47, count: 5000)
        try? await channel.writeAndFlush(garbage).get()
        try? await channel.closeFuture.get()
    }

    /// A linearizable read.
    func get(_ index: Int, _ key: String) async -> Result<String?, StoreError> {
        await withCheckedContinuation { continuation in
            self[index].readBarrier { read in
                let answer = read.flatMap { $0.range(RangeRequest(.key(Array(key.utf8)))) }
                continuation.resume(
                    returning: answer.map { response in
                        response.keyValues.first.map { String(decoding: $0.value, as: UTF8.self) }
                    })
            }
        }
    }

    func mustGet(_ index: Int, _ key: String) async throws -> String? {
        try await eventually("get \(key)") {
            try? await get(index, key).get() as String??
        }
    }
}

struct NeverHappened: Error {
    var what: String
}

/// Polls; gives up after 30 seconds, which a healthy machine never needs.
func eventually<Value>(
    _ what: String, _ isolation: isolated (any Actor)? = #isolation,
    _ body: () async throws -> Value?
) async throws -> Value {
    let deadline = MonotonicTime.now().advanced(milliseconds: 60_000)
    repeat {
        if let value = try await body() { return value }
        try await Task.sleep(for: .milliseconds(10))
    } while MonotonicTime.now() < deadline
    throw NeverHappened(what: what)
}

func eventually(
    _ what: String, _ isolation: isolated (any Actor)? = #isolation,
    isTrue body: () async throws -> Bool
) async throws {
    let _: Bool = try await eventually(what) { try await body() ? true : nil }
}
