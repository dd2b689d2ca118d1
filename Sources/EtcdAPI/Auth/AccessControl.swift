import Basics
import HTTP
import Keyspace
import Store

/// Who a call is made by, and what of the store is open to them.
///
/// A token comes as gRPC metadata `token`, or, through the gateway, as the header `Authorization`.
/// Without a token the name on the client's certificate may say who calls, but never through the
/// gateway: there it may be a proxy's. Without a `StoreAuth` everything is open.
final class AccessControl: Sendable {
    let whole: any Store
    let auth: (any StoreAuth)?
    private let options: EtcdAuthOptions

    init(
        _ whole: any Store, _ auth: (any StoreAuth)?,
        _ options: EtcdAuthOptions = EtcdAuthOptions()
    ) {
        self.whole = whole
        self.auth = auth
        self.options = options
    }

    var tokens: TokenTable { options.tokens }

    /// Nil when there is nothing to permit.
    func permit(_ context: GRPCContext) throws(StoreError) -> AuthPermit? {
        guard let auth else { return nil }
        guard let snapshot = auth.auth else { throw .noLeader }
        guard snapshot.state.isEnabled else { return snapshot.anonymous }
        let headers = context.headers
        guard let token = headers.first("token") ?? headers.first("authorization") else {
            guard options.takesCertificateNames, let name = context.peer?.commonName, !name.isEmpty
            else { return snapshot.anonymous }
            return snapshot.permit(Bytes(name.utf8))
        }
        return try tokens.permit(token, snapshot)
    }

    /// The store as it is open to who calls.
    func store(_ context: GRPCContext) throws(StoreError) -> any Store {
        guard let auth, let permit = try permit(context) else { return whole }
        return auth.store(for: permit)
    }

    /// The store as it is open to who calls; a token that is not good is answered.
    func store(_ context: GRPCContext, _ reply: GRPCReply) -> (any Store)? {
        do throws(StoreError) { return try store(context) } catch {
            reply(GRPCStatus(error))
            return nil
        }
    }

    /// Why what only root may is refused to who calls.
    func refusalOfRoot(_ context: GRPCContext) -> StoreError? {
        do throws(StoreError) { return try permit(context)?.refusalOfRoot } catch { return error }
    }

    /// Why what everybody may whose token is good is refused to who calls.
    func refusalOfAnybody(_ context: GRPCContext) -> StoreError? {
        do throws(StoreError) { return try permit(context)?.refusalOfAnybody } catch {
            return error
        }
    }
}

/// A service that does for each call what the store open to its caller lets it.
protocol StoreService: Sendable {
    var store: any Store { get set }
    var access: AccessControl { get }
}

extension StoreService {
    /// The service as it is open to who calls; a token that is not good is answered.
    func admitted(_ context: GRPCContext, _ refuse: (GRPCStatus) -> Void) -> Self? {
        do throws(StoreError) {
            var service = self
            service.store = try access.store(context)
            return service
        } catch {
            refuse(GRPCStatus(error))
            return nil
        }
    }

    func admitted(_ context: GRPCContext, _ reply: GRPCReply) -> Self? {
        admitted(context) { reply($0) }
    }

    func admitted(_ context: GRPCContext, _ stream: GRPCServerStream) -> Self? {
        admitted(context) { stream.finish($0) }
    }
}

extension GRPCRouter {
    /// A method that only root may call once auth is enabled.
    mutating func unary(
        _ path: String, rootOf access: AccessControl, _ handler: @escaping Unary
    ) {
        unary(path) { message, context, reply in
            if let error = access.refusalOfRoot(context) { return reply(GRPCStatus(error)) }
            handler(message, context, reply)
        }
    }
}
