import Basics
import EtcdMessages
import HTTP
import Keyspace
import ReplicaCore
import Store

/// The changing half of `etcdserverpb.Cluster`, and `Maintenance.MoveLeader`.
///
/// As etcd's, but that a new voter is a learner until it has caught up, and that a member can be
/// changed through any other: only MoveLeader must reach the leader, as in etcd.
struct MemberService: Sendable {
    let store: any Store
    let access: AccessControl
    let admin: any StoreAdmin

    func register(on router: inout GRPCRouter) {
        router.unary("/etcdserverpb.Cluster/MemberAdd", rootOf: access) { message, _, reply in
            take(message, isAddition: true, reply) { (request) throws(StoreError) in
                try add(request)
            }
        }
        router.unary("/etcdserverpb.Cluster/MemberRemove", rootOf: access) { message, _, reply in
            take(message, reply) { .remove($0.id) }
        }
        router.unary("/etcdserverpb.Cluster/MemberPromote", rootOf: access) { message, _, reply in
            take(message, reply) { .promote($0.id) }
        }
        router.unary("/etcdserverpb.Cluster/MemberUpdate", rootOf: access) { message, _, reply in
            take(message, reply) { (request) throws(StoreError) in
                let address = try address(of: request)
                return .update(request.id, host: address.host, port: address.port)
            }
        }
        router.unary("/etcdserverpb.Maintenance/MoveLeader", rootOf: access) { message, _, reply in
            moveLeader(message, reply)
        }
    }

    private func add(_ request: MemberChangeRequest) throws(StoreError) -> MemberRequest {
        let address = try address(of: request)
        return .add(
            ReplicaMember(id: 0, name: "", peerHost: address.host, peerPort: address.port),
            staysLearner: request.isLearner)
    }

    private func address(
        of request: MemberChangeRequest
    ) throws(StoreError) -> (host: String, port: Int) {
        guard request.peerURLs.count == 1, let address = PeerAddress(url: request.peerURLs[0])
        else { throw .badPeerURL }
        return (address.host, address.port)
    }

    private func take(
        _ message: Bytes, isAddition: Bool = false, _ reply: GRPCReply,
        _ make: (MemberChangeRequest) throws(StoreError) -> MemberRequest
    ) {
        let request: MemberRequest
        do throws(DecodingFailure) {
            let decoded = try MemberChangeRequest(protobuf: message, isAddition: isAddition)
            do throws(StoreError) {
                request = try make(decoded)
            } catch {
                return reply(GRPCStatus(error))
            }
        } catch {
            return reply(GRPCStatus(error))
        }
        admin.changeMembers(request) { result in
            switch result {
            case .success(let id): answer(request, id, reply)
            case .failure(let error): reply(GRPCStatus(error))
            }
        }
    }

    private func answer(_ request: MemberRequest, _ id: UInt64, _ reply: GRPCReply) {
        store.status { result in
            reply(result) { status in
                var members = status.members.map { MemberMessage($0) }
                var added: MemberMessage?
                switch request {
                case .add(let member, _):
                    var message = MemberMessage()
                    message.id = id
                    let known = status.members.first { $0.id == id }
                    message.peerURLs = known?.peerURLs ?? [member.peerURL]
                    message.isLearner = known?.isLearner ?? true
                    members.removeAll { $0.id == id }
                    members.append(message)
                    added = message
                case .remove(let id): members.removeAll { $0.id == id }
                default: break
                }
                return MemberChangeResponse(
                    header: HeaderSource.memberHeader(status), member: added, members: members
                ).protobufBytes
            }
        }
    }

    private func moveLeader(_ message: Bytes, _ reply: GRPCReply) {
        let target: UInt64
        do throws(DecodingFailure) {
            target = try MemberChangeRequest(protobuf: message, isAddition: false).id
        } catch {
            return reply(GRPCStatus(error))
        }
        store.status { result in
            guard let status = try? result.get(), status.leaderID == status.memberID else {
                return reply(GRPCStatus(.notLeader))
            }
            guard target != 0 else { return reply(GRPCStatus(.badTransferee)) }
            admin.transferLeadership(to: target) { result in
                reply(result) { _ in
                    HeaderOnlyResponse(header: HeaderSource.header(status)).protobufBytes
                }
            }
        }
    }
}

extension MemberMessage {
    init(_ member: Member) {
        self.init()
        id = member.id
        // One that was added without a name is called by its address; to etcd it has not started.
        name = member.peerURLs.contains { $0.hasSuffix("//" + member.name) } ? "" : member.name
        peerURLs = member.peerURLs
        clientURLs = member.clientURLs
        isLearner = member.isLearner
    }
}
