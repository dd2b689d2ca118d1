import Basics
import EtcdMessages
import HTTP
import Keyspace
import Store

/// `etcdserverpb.Auth`: users, roles, logging in, and turning it all on and off.
struct AuthService: Sendable {
    let auth: any StoreAuth
    let access: AccessControl
    let headers: HeaderSource
    let desk = PasswordDesk()

    func register(on router: inout GRPCRouter) {
        registerLogin(on: &router)
        registerUsers(on: &router)
        registerRoles(on: &router)
        registerReads(on: &router)
    }

    private func registerLogin(on router: inout GRPCRouter) {
        router.unary(empty: "/etcdserverpb.Auth/AuthEnable") { context, reply in
            change(.enable(secret: SimpleMint.newSecret()), context, reply)
        }
        router.unary(empty: "/etcdserverpb.Auth/AuthDisable") { context, reply in
            change(.disable, context, reply)
        }
        router.unary(empty: "/etcdserverpb.Auth/AuthStatus", rootOf: access) { _, reply in
            auth.newestAuth { result in
                reply(result) { auth in
                    AuthStatusResponse(
                        header: headers.header(), isEnabled: auth.state.isEnabled,
                        revision: auth.state.revision
                    ).protobufBytes
                }
            }
        }
        router.unary("/etcdserverpb.Auth/Authenticate") { message, _, reply in
            with(message, reply) { (request: PasswordRequest) in authenticate(request, reply) }
        }
    }

    private func registerUsers(on router: inout GRPCRouter) {
        router.unary("/etcdserverpb.Auth/UserAdd") { message, context, reply in
            with(message, reply) { (request: AuthRequest) in
                guard !request.hasNoPassword, !request.name.isEmpty else {
                    return change(.addUser(request.name, passwordHash: nil), context, reply)
                }
                changeHashed(request.other, context, reply) { hash in
                    .addUser(request.name, passwordHash: hash)
                }
            }
        }
        router.unary("/etcdserverpb.Auth/UserChangePassword") { message, context, reply in
            with(message, reply) { (request: PasswordRequest) in
                changeHashed(request.password, context, reply) { hash in
                    .changePassword(request.name, passwordHash: hash)
                }
            }
        }
        registerChange("UserDelete", on: &router) { .deleteUser($0.name) }
        registerChange("UserGrantRole", on: &router) { .grantRole(user: $0.name, role: $0.other) }
        registerChange("UserRevokeRole", on: &router) { .revokeRole(user: $0.name, role: $0.other) }
    }

    private func registerRoles(on router: inout GRPCRouter) {
        registerChange("RoleAdd", on: &router) { .addRole($0.name) }
        registerChange("RoleDelete", on: &router) { .deleteRole($0.name) }
        router.unary("/etcdserverpb.Auth/RoleGrantPermission") { message, context, reply in
            with(message, reply) { (request: GrantPermissionRequest) in
                guard let permission = request.permission else {
                    let refusal = access.refusalOfRoot(context)
                    return reply(GRPCStatus(refusal ?? StoreError.permissionNotGiven))
                }
                change(.grantPermission(role: request.role, permission), context, reply)
            }
        }
        router.unary("/etcdserverpb.Auth/RoleRevokePermission") { message, context, reply in
            with(message, reply) { (request: RevokePermissionRequest) in
                change(.revokePermission(role: request.role, request.range), context, reply)
            }
        }
    }

    private func registerChange(
        _ name: String, on router: inout GRPCRouter,
        _ make: @escaping @Sendable (AuthRequest) -> AuthChange
    ) {
        router.unary("/etcdserverpb.Auth/" + name) { message, context, reply in
            with(message, reply) { change(make($0), context, reply) }
        }
    }

    // MARK: Changes

    private func change(_ change: AuthChange, _ context: GRPCContext, _ reply: GRPCReply) {
        do throws(StoreError) {
            guard let permit = try access.permit(context) else { return }
            auth.change(change, by: permit) { result in
                reply(result) {
                    HeaderOnlyResponse(header: headers.header(revision: $0)).protobufBytes
                }
            }
        } catch {
            reply(GRPCStatus(error))
        }
    }

    /// Hashes only for who may: it takes long.
    private func changeHashed(
        _ password: Bytes, _ context: GRPCContext, _ reply: GRPCReply,
        _ make: @escaping @Sendable (Bytes) -> AuthChange
    ) {
        if let error = access.refusalOfRoot(context) { return reply(GRPCStatus(error)) }
        desk.hash(password) { result in
            switch result {
            case .success(let hash): change(make(hash), context, reply)
            case .failure(let error): reply(GRPCStatus(error))
            }
        }
    }

    // MARK: Logging in

    private func authenticate(_ request: PasswordRequest, _ reply: GRPCReply) {
        auth.newestAuth { result in
            switch result {
            case .failure(let error): reply(GRPCStatus(error))
            case .success(let snapshot):
                guard snapshot.state.isEnabled else {
                    return reply(GRPCStatus(StoreError.authNotEnabled))
                }
                let hash = snapshot.state.users[request.name]?.passwordHash
                desk.check(request.password, hash) { result in
                    reply(result.flatMap { login($0, request.name, snapshot) }) { token in
                        var response = AuthResponse(header: headers.header())
                        response.token = token
                        return response.protobufBytes
                    }
                }
            }
        }
    }

    /// Signs under the state that was checked: a password that has changed meanwhile makes it void.
    private func login(
        _ isRight: Bool, _ user: Bytes, _ snapshot: AuthSnapshot
    ) -> Result<String, StoreError> {
        guard isRight, let token = access.tokens.issue(for: user, snapshot.state) else {
            return .failure(.authFailed)
        }
        return .success(token)
    }

    func with<Request: ProtobufDecodable>(
        _ message: Bytes, _ reply: GRPCReply, _ body: (Request) -> Void
    ) {
        do throws(DecodingFailure) { body(try Request(protobuf: message)) } catch {
            reply(GRPCStatus(error))
        }
    }
}
