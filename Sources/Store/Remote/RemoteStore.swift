import Basics
import EtcdMessages
package import HTTP
package import Keyspace
import NIOCore

/// A `Store` at the other end of etcd's v3 wire: Martlet's client port, an API server's gate, or
/// a real etcd cluster.
///
/// Over a foreign etcd a commit is limited to what etcd can: see `RemoteStore+Commit`.
package final class RemoteStore: Store {
    let channel: GRPCChannel
    private let timeoutMilliseconds: Int64
    private let keepAlives: RemoteKeepAlives
    private let patienceMilliseconds: UInt64
    /// Set once the server has said that it does not know Martlet's own calls.
    let isForeign = Locked(false)
    /// Cleared for servers whose answers to progress requests may overtake events.
    private let hasExactProgress = Locked(true)

    /// - Parameter patienceMilliseconds: how long a read whose server goes away is asked again of
    ///   others. Writes are not: whether one took effect is for the caller to find out.
    package init(
        channel: GRPCChannel, timeoutMilliseconds: Int64 = 10_000,
        patienceMilliseconds: UInt64 = 0
    ) {
        self.channel = channel
        self.timeoutMilliseconds = timeoutMilliseconds
        self.patienceMilliseconds = patienceMilliseconds
        keepAlives = RemoteKeepAlives(channel)
    }

    /// A foreign etcd does a commit of several objects in parts.
    package var commitsWhole: Bool { !isForeign.withLock { $0 } }

    /// What every server of the store can do, at least.
    package func use(_ version: ServerVersion) {
        hasExactProgress.withLock { $0 = version.hasExactProgress }
    }

    package func close() { channel.close() }

    /// Makes a unary call and decodes its answer.
    func call<Response: ProtobufDecodable & Sendable>(
        _ path: String, _ request: Bytes, _ done: @escaping Completion<Response>
    ) {
        channel.unary(path, request, timeoutMilliseconds: timeoutMilliseconds) { result in
            done(
                result.mapError(StoreError.init(_:)).flatMap { bytes in
                    do throws(DecodingFailure) {
                        return .success(try Response(protobuf: bytes))
                    } catch {
                        return .failure(StoreError(.corrupt, "answer to \(path): \(error)"))
                    }
                })
        }
    }

    /// As `call`, for what changes nothing.
    private func read<Response: ProtobufDecodable & Sendable>(
        _ path: String, _ request: Bytes, since start: MonotonicTime = .now(),
        _ done: @escaping Completion<Response>
    ) {
        call(path, request) { (result: Result<Response, StoreError>) in
            let age = MonotonicTime.now().milliseconds(since: start)
            guard case .failure(let error) = result, error.code == .unavailable,
                age < self.patienceMilliseconds
            else { return done(result) }
            self.channel.eventLoop.scheduleTask(in: .milliseconds(50)) {
                self.read(path, request, since: start, done)
            }
        }
    }

    package func range(_ request: RangeRequest, _ done: @escaping Completion<RangeResponse>) {
        read("/etcdserverpb.KV/Range", request.protobufBytes, done)
    }

    package func transaction(
        _ request: TransactionRequest, _ done: @escaping Completion<TransactionResponse>
    ) {
        call("/etcdserverpb.KV/Txn", request.protobufBytes, done)
    }

    package func compact(to revision: Int64, _ done: @escaping Completion<Int64>) {
        let request = CompactionRequest(revision: revision).protobufBytes
        call("/etcdserverpb.KV/Compact", request) { (result: Result<HeaderOnlyResponse, _>) in
            done(result.map(\.header.revision))
        }
    }

    package func watch(_ request: WatchRequest) -> any WatchStream {
        RemoteWatch(channel, request, hasExactProgress: hasExactProgress.withLock { $0 })
    }

    package func leaseGrant(
        id: Int64, ttlSeconds: Int64, _ done: @escaping Completion<LeaseStatus>
    ) {
        let request = LeaseRequest(id: id, ttlSeconds: ttlSeconds).grantBytes
        call("/etcdserverpb.Lease/LeaseGrant", request) { (result: Result<LeaseResponse, _>) in
            done(
                result.map {
                    LeaseStatus(
                        id: $0.id, grantedTTLSeconds: $0.ttlSeconds,
                        remainingTTLSeconds: $0.ttlSeconds)
                })
        }
    }

    package func leaseRevoke(id: Int64, _ done: @escaping Completion<Int64>) {
        let request = LeaseRequest(id: id).protobufBytes
        call("/etcdserverpb.Lease/LeaseRevoke", request) {
            (result: Result<HeaderOnlyResponse, _>) in
            done(result.map(\.header.revision))
        }
    }

    package func leaseKeepAlive(id: Int64, _ done: @escaping Completion<LeaseStatus>) {
        keepAlives.keepAlive(id: id, done)
    }

    package func leaseTimeToLive(
        id: Int64, keys: Bool, _ done: @escaping Completion<LeaseStatus>
    ) {
        let request = LeaseRequest(id: id, wantsKeys: keys).protobufBytes
        call("/etcdserverpb.Lease/LeaseTimeToLive", request) {
            (result: Result<LeaseResponse, StoreError>) in
            done(
                result.flatMap { response in
                    guard response.ttlSeconds >= 0 else { return .failure(.leaseNotFound) }
                    return .success(
                        LeaseStatus(
                            id: response.id, grantedTTLSeconds: response.grantedTTLSeconds,
                            remainingTTLSeconds: response.ttlSeconds, keys: response.keys))
                })
        }
    }

    package func leases(_ done: @escaping Completion<[Int64]>) {
        read("/etcdserverpb.Lease/LeaseLeases", []) { (result: Result<LeaseListResponse, _>) in
            done(result.map(\.ids))
        }
    }

    /// etcd spreads this over two calls, and keeps the compacted revision to itself.
    package func status(_ done: @escaping Completion<StoreStatus>) {
        read("/etcdserverpb.Maintenance/Status", []) {
            (result: Result<StatusResponse, StoreError>) in
            guard case .success(let response) = result else {
                return done(result.map { _ in StoreStatus() })
            }
            self.read("/etcdserverpb.Cluster/MemberList", []) {
                (members: Result<MemberListResponse, StoreError>) in
                done(members.map { StoreStatus(response, members: $0.members) })
            }
        }
    }
}

extension StoreStatus {
    fileprivate init(_ response: StatusResponse, members: [MemberMessage]) {
        self.init()
        clusterID = response.header.clusterID
        memberID = response.header.memberID
        leaderID = response.leaderID
        term = response.raftTerm
        commitIndex = response.raftIndex
        appliedIndex = response.raftAppliedIndex
        revision = response.header.revision
        fileBytes = response.fileBytes
        fileBytesInUse = response.fileBytesInUse
        quotaBytes = response.quotaBytes
        isLearner = response.isLearner
        alarms = response.errors
        self.members = members.map {
            Member(
                id: $0.id, name: $0.name, peerURLs: $0.peerURLs, clientURLs: $0.clientURLs,
                isLearner: $0.isLearner)
        }
    }
}
