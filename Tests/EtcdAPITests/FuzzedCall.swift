import Basics
import EtcdAPI
import EtcdMessages
import HTTP
import Testing

/// A method of the API, with the shapes of its messages and what an answer of it may be.
struct FuzzedCall: Sendable {
    var method: String
    var request: Int
    var response: Int
    /// It may wait for others when all is well, or has any number of answers.
    var isStream: Bool

    /// Those of the gateway, and what has no path there.
    static let all: [FuzzedCall] = {
        var byName: [String: FuzzedCall] = [:]
        for route in GatewayRoute.all.values {
            byName[route.method] = FuzzedCall(
                method: route.method, request: route.request, response: route.response,
                isStream: route.flow == .stream || waits.contains(route.method))
        }
        let schema = GatewaySchema.etcd
        func add(_ method: String, _ request: String, _ response: String, isStream: Bool) {
            byName[method] = FuzzedCall(
                method: method, request: schema.message(request),
                response: schema.message(response), isStream: isStream)
        }
        add("/etcdserverpb.KV/RangeStream", "RangeRequest", "RangeStreamResponse", isStream: true)
        add("/etcdserverpb.Maintenance/Hash", "Empty", "HashResponse", isStream: false)
        add(
            "/grpc.health.v1.Health/Check", "HealthCheckRequest", "HealthCheckResponse",
            isStream: false)
        add(
            "/grpc.health.v1.Health/Watch", "HealthCheckRequest", "HealthCheckResponse",
            isStream: true)
        return byName.keys.sorted().compactMap { byName[$0] }
    }()

    /// One answer, but perhaps not soon.
    private static let waits = ["/v3lockpb.Lock/Lock", "/v3electionpb.Election/Campaign"]

    /// Each hashes a password, which takes long.
    var isCostly: Bool {
        method == "/etcdserverpb.Auth/UserAdd"
            || method == "/etcdserverpb.Auth/UserChangePassword"
    }

    // MARK: Answers

    private static let codes: [GRPCStatus.Code] = [
        .invalidArgument, .notFound, .permissionDenied, .resourceExhausted, .failedPrecondition,
        .outOfRange, .unavailable, .dataLoss, .unauthenticated, .cancelled,
    ]

    /// What etcd itself has no code for.
    private static let unknowns = [
        "etcdserver: unknown method", "election: no leader", "election: not leader",
        "\"leader\" field must be provided", "mutex: session is expired",
    ]

    func check(_ message: Bytes, _ asked: Any) {
        #expect(Self.isMessage(message, response), "\(method) \(asked): \(message)")
    }

    /// A refusal has one of etcd's codes, and words.
    func check(_ status: GRPCStatus, _ asked: Any) {
        #expect(!status.message.isEmpty, "\(method) \(asked): \(status)")
        switch status.code {
        case .internalError:
            // grpc-go's answer to bytes that are no message.
            let isGarbage = status.message.hasPrefix("grpc: error unmarshalling request: ")
            #expect(isGarbage, "\(method) \(asked): \(status)")
        case .unknown:
            #expect(Self.unknowns.contains(status.message), "\(method) \(asked): \(status)")
        default:
            #expect(Self.codes.contains(status.code), "\(method) \(asked): \(status)")
        }
    }

    /// Whether the fields are those of the message, and of their types.
    private static func isMessage(_ bytes: Bytes, _ index: Int) -> Bool {
        let message = GatewaySchema.etcd.messages[index]
        var reader = ProtobufReader(bytes, message.name)
        do throws(DecodingFailure) {
            while let number = try reader.next() {
                guard let field = message.fields.first(where: { $0.number == number }) else {
                    return false
                }
                switch field.type {
                case .bytes, .string: _ = try reader.bytes()
                case .message(let inner):
                    if !isMessage(try reader.bytes(), inner) { return false }
                default: try reader.skip()
                }
            }
            return true
        } catch {
            return false
        }
    }

    /// Whether the bytes are no message whatever its fields are.
    static func isGarbage(_ bytes: Bytes) -> Bool {
        var reader = ProtobufReader(bytes, "request")
        do throws(DecodingFailure) {
            while try reader.next() != nil { try reader.skip() }
            return false
        } catch {
            return true
        }
    }
}
