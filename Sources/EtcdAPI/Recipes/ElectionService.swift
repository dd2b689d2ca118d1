import Basics
import EtcdMessages
import HTTP
import Keyspace
import Store

/// `v3electionpb.Election`: leaders of names, told and followed by the server.
struct ElectionService: StoreService {
    var store: any Store
    let access: AccessControl
    let headers: HeaderSource

    func register(on router: inout GRPCRouter) {
        router.stream("/v3electionpb.Election/Campaign", kind: .unary) { context, stream in
            RecipeCall(stream) { message in
                guard let store = admitted(context, stream)?.store else { return nil }
                return Claim.serve(message, stream, store, headers) { request, held in
                    .leader(
                        LeaderKey(
                            name: request.name, key: held.key, revision: held.createRevision,
                            lease: held.lease))
                }
            }
        }
        router.stream("/v3electionpb.Election/Observe") { context, stream in
            RecipeCall(stream) { admitted(context, stream)?.observe($0, stream) }
        }
        router.unary("/v3electionpb.Election/Leader") { message, context, reply in
            admitted(context, reply)?.leader(message, reply)
        }
        router.unary("/v3electionpb.Election/Proclaim") { message, context, reply in
            admitted(context, reply)?.asLeader(message, reply) { leader, value in
                .put(PutRequest(key: leader.key, value: value, lease: leader.lease))
            }
        }
        router.unary("/v3electionpb.Election/Resign") { message, context, reply in
            admitted(context, reply)?.asLeader(message, reply, mayBeDeposed: true) { leader, _ in
                .deleteRange(DeleteRangeRequest(.key(leader.key)))
            }
        }
    }

    private func leader(_ message: Bytes, _ reply: GRPCReply) {
        do throws(DecodingFailure) {
            let request = try RecipeRequest(named: message)
            store.range(.oldest(under: request.name)) { result in
                switch result {
                case .success(let response):
                    guard let leader = response.keyValues.first else {
                        return reply(GRPCStatus(.unknown, "election: no leader"))
                    }
                    let header = headers.header(revision: response.revision)
                    reply(RecipeResponse(header: header, .keyValue(leader)).protobufBytes)
                case .failure(let error): reply(GRPCStatus(error))
                }
            }
        } catch {
            reply(GRPCStatus(error))
        }
    }

    /// A change that only the leader may make. Who is no leader any more has nothing to resign.
    private func asLeader(
        _ message: Bytes, _ reply: GRPCReply, mayBeDeposed: Bool = false,
        _ change: (LeaderKey, Bytes) -> Operation
    ) {
        let request: RecipeRequest
        do throws(DecodingFailure) {
            request = try RecipeRequest(led: message)
        } catch {
            return reply(GRPCStatus(error))
        }
        guard let leader = request.leader, !leader.key.isEmpty else {
            return reply(GRPCStatus(.unknown, "\"leader\" field must be provided"))
        }
        let transaction = TransactionRequest(
            compares: [Compare(.key(leader.key), .equal, .createRevision(leader.revision))],
            success: [change(leader, request.value)])
        store.transaction(transaction) { result in
            switch result {
            case .success(let response) where response.succeeded || mayBeDeposed:
                let header = headers.header(revision: response.revision)
                reply(RecipeResponse(header: header).protobufBytes)
            case .success: reply(GRPCStatus(.unknown, "election: not leader"))
            case .failure(let error): reply(GRPCStatus(error))
            }
        }
    }

    private func observe(_ message: Bytes, _ stream: GRPCServerStream) -> (() -> Void)? {
        do throws(DecodingFailure) {
            let request = try RecipeRequest(named: message)
            let observer = ElectionObserver(store, headers, stream, name: request.name)
            observer.begin()
            return { observer.cancel() }
        } catch {
            stream.finish(GRPCStatus(error))
            return nil
        }
    }
}

extension RangeRequest {
    /// The oldest claim under a name: who holds the lock, or leads.
    static func oldest(under name: Bytes) -> RangeRequest {
        var request = RangeRequest(.prefix(name + [UInt8(ascii: "/")]), limit: 1)
        request.sortOrder = .ascending
        request.sortTarget = .create
        return request
    }
}
