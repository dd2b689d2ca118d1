import Basics
import EtcdMessages
import HTTP
import Keyspace
import NIOCore
import Store

/// `grpc.health.v1.Health`: for load balancers and for gRPC probes.
///
/// Serving is who knows of a leader. `Watch` tells the state once and when it changes, looked at
/// twice a second.
struct HealthService: Sendable {
    private enum Serving: UInt64 { case unknown, serving, notServing, serviceUnknown }

    private static let lookMilliseconds: Int64 = 500

    let store: any Store

    func register(on router: inout GRPCRouter) {
        router.unary("/grpc.health.v1.Health/Check") { message, _, reply in check(message, reply) }
        router.stream("/grpc.health.v1.Health/Watch") { _, stream in
            RecipeCall(stream) { watch($0, stream) }
        }
    }

    /// The server as a whole has the empty name; no other service has a state of its own.
    private func isOfServer(_ message: Bytes) throws(DecodingFailure) -> Bool {
        var reader = ProtobufReader(message, "HealthCheckRequest")
        var name = ""
        while let field = try reader.next() {
            if field == 1 { name = try reader.text() } else { try reader.skip() }
        }
        return name.isEmpty
    }

    private func check(_ message: Bytes, _ reply: GRPCReply) {
        do throws(DecodingFailure) {
            guard try isOfServer(message) else {
                return reply(GRPCStatus(.notFound, "unknown service"))
            }
            store.status { result in reply(response(serving(result))) }
        } catch {
            reply(GRPCStatus(error))
        }
    }

    private func watch(_ message: Bytes, _ stream: GRPCServerStream) -> (() -> Void)? {
        do throws(DecodingFailure) {
            guard try isOfServer(message) else {
                stream.send(response(.serviceUnknown))
                return nil
            }
        } catch {
            stream.finish(GRPCStatus(error))
            return nil
        }
        let told = Locked(Serving.unknown)
        let timer = stream.eventLoop.scheduleRepeatedTask(
            initialDelay: .zero, delay: .milliseconds(Self.lookMilliseconds)
        ) { _ in
            store.status { result in
                let now = serving(result)
                let isNews = told.withLock { last in
                    defer { last = now }
                    return last != now
                }
                if isNews { stream.send(response(now)) }
            }
        }
        return { timer.cancel() }
    }

    private func serving(_ status: Result<StoreStatus, StoreError>) -> Serving {
        if case .success(let status) = status, status.leaderID != 0 {
            .serving
        } else {
            .notServing
        }
    }

    private func response(_ serving: Serving) -> Bytes {
        var writer = ProtobufWriter()
        writer.write(1, serving.rawValue)
        return writer.bytes
    }
}
