import Basics
import EtcdMessages
import HTTP
import Keyspace
import Store

extension AuthService {
    /// Lists are root's; who one is, and what one's roles are, everybody may know of themselves.
    func registerReads(on router: inout GRPCRouter) {
        router.unary(empty: "/etcdserverpb.Auth/UserList") { context, reply in
            read(context, reply) { state, permit, response throws(StoreError) in
                if let error = permit.refusalOfRoot { throw error }
                response.names = state.users.keys.sorted(by: isOrderedBefore)
            }
        }
        router.unary(empty: "/etcdserverpb.Auth/RoleList") { context, reply in
            read(context, reply) { state, permit, response throws(StoreError) in
                if let error = permit.refusalOfRoot { throw error }
                response.names = state.roles.keys.sorted(by: isOrderedBefore)
            }
        }
        router.unary("/etcdserverpb.Auth/UserGet") { message, context, reply in
            with(message, reply) { (request: AuthRequest) in
                read(context, reply) { state, permit, response throws(StoreError) in
                    if let error = permit.refusalOfRoot, request.name != permit.user {
                        throw error
                    }
                    guard let user = state.users[request.name] else { throw .userNotFound }
                    response.names = user.roles
                }
            }
        }
        router.unary("/etcdserverpb.Auth/RoleGet") { message, context, reply in
            with(message, reply) { (request: AuthRequest) in
                read(context, reply) { state, permit, response throws(StoreError) in
                    let own = state.users[permit.user]?.roles ?? []
                    if let error = permit.refusalOfRoot, !own.contains(request.name) {
                        throw error
                    }
                    guard let permissions = state.permissions(ofRole: request.name) else {
                        throw .roleNotFound
                    }
                    response.permissions = permissions
                }
            }
        }
    }

    /// Answers from the newest state, after a look at who asks by that state.
    private func read(
        _ context: GRPCContext, _ reply: GRPCReply,
        _ fill:
            @escaping @Sendable (AuthState, AuthPermit, inout AuthResponse) throws(StoreError)
            -> Void
    ) {
        auth.newestAuth { result in
            do throws(StoreError) {
                let snapshot = try result.get()
                guard let permit = try access.permit(context) else { return }
                var response = AuthResponse(header: headers.header())
                try fill(snapshot.state, snapshot.renewed(permit), &response)
                reply(response.protobufBytes)
            } catch {
                reply(GRPCStatus(error))
            }
        }
    }
}
