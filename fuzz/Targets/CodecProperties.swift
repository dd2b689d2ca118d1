import Basics
import EtcdMessages
import Keyspace
import Raft
import ReplicaCore

/// Codecs without a checksum of their own: what decodes, encodes to something that decodes to the
/// same again.
enum CodecProperties {
    static func command(_ input: Bytes) {
        roundTrip(input, { try Command(decoding: $0) }, { $0.encode() })
    }

    static func peerMessage(_ input: Bytes) {
        guard let message = try? Message(decoding: input) else { return }
        precondition((try? Message(decoding: message.encoded())) == message)
    }

    static func peerRequest(_ input: Bytes) {
        roundTrip(input, { try PeerRequest(decoding: $0) }, encoded)
    }

    private static func encoded(_ request: PeerRequest) -> Bytes {
        var writer = ByteWriter()
        request.encode(to: &writer)
        return writer.bytes
    }

    /// For values that have no other equality than their bytes.
    static func roundTrip<Value>(
        _ input: Bytes, _ decode: (Bytes) throws -> Value, _ encode: (Value) -> Bytes
    ) {
        guard let value = try? decode(input) else { return }
        let bytes = encode(value)
        guard let again = try? decode(bytes) else {
            preconditionFailure("\(Value.self) does not decode what it encoded")
        }
        precondition(encode(again) == bytes)
    }

    /// The first byte chooses the message.
    static func etcdRequest(_ input: Bytes) {
        guard let choice = input.first else { return }
        let body = Bytes(input.dropFirst())
        switch choice % 10 {
        case 0: roundTrip(RangeRequest.self, body)
        case 1: roundTrip(PutRequest.self, body)
        case 2: roundTrip(DeleteRangeRequest.self, body)
        case 3: roundTrip(TransactionRequest.self, body)
        case 4: roundTrip(CompactionRequest.self, body)
        case 5: roundTrip(WatchCreateRequest.self, body)
        case 6: roundTrip(CommitRequest.self, body)
        case 7: _ = try? LeaseRequest(protobuf: body)
        case 8: _ = try? AlarmRequest(protobuf: body)
        default: _ = try? LeaseRequest(grant: body)
        }
    }

    private static func roundTrip<Message: ProtobufDecodable & ProtobufEncodable>(
        _ type: Message.Type, _ body: Bytes
    ) {
        guard let message = try? Message(protobuf: body) else { return }
        let bytes = message.protobufBytes
        guard let again = try? Message(protobuf: bytes) else {
            preconditionFailure("\(Message.messageName) does not decode what it encoded")
        }
        precondition(again.protobufBytes == bytes)
    }
}
