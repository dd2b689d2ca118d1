import Basics
import EtcdMessages
import HTTP
import Keyspace

extension GRPCRouter {
    typealias EmptyUnary = @Sendable (GRPCContext, GRPCReply) -> Void

    /// A method whose request has no fields. Bytes that are no message are refused all the same,
    /// as grpc-go refuses those of any request.
    mutating func unary(empty path: String, _ handler: @escaping EmptyUnary) {
        unary(path) { message, context, reply in
            do throws(DecodingFailure) {
                _ = try EmptyRequest(protobuf: message)
            } catch {
                return reply(GRPCStatus(error))
            }
            handler(context, reply)
        }
    }

    /// The same for a method that only root may call once auth is enabled.
    mutating func unary(
        empty path: String, rootOf access: AccessControl, _ handler: @escaping EmptyUnary
    ) {
        unary(empty: path) { context, reply in
            if let error = access.refusalOfRoot(context) { return reply(GRPCStatus(error)) }
            handler(context, reply)
        }
    }
}
