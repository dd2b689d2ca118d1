import Basics
import EtcdMessages
import Keyspace
import Store
import TestSupport
import Testing

/// Answers that are sent while they are read.
@Suite(.timeLimit(.minutes(1)))
struct LargeRangeTests {
    private func fill(_ store: any Store, _ keys: Int, valueBytes: Int) async throws {
        for number in 0..<keys {
            let value = Bytes(repeating: UInt8(truncatingIfNeeded: number), count: valueBytes)
            let put = PutRequest(key: bytes("k\(1000 + number)"), value: value)
            _ = try await store.transaction(TransactionRequest(success: [.put(put)]))
        }
    }

    @Test func `A large answer crosses the wire whole`() async throws {
        try await withRemoteStore { remote, store in
            try await fill(store, 120, valueBytes: 100_000)
            try await remote.put("empty", "")
            for limit: Int64 in [0, 100] {
                let expected = try store.keyspace.range(RangeRequest(.all, limit: limit)).get()
                #expect(try await remote.range(RangeRequest(.all, limit: limit)) == expected)
            }
            var request = RangeRequest(.all)
            (request.sortTarget, request.sortOrder) = (.mod, .descending)
            let expected = try store.keyspace.range(request).get()
            #expect(try await remote.range(request) == expected)
            request.keysOnly = true
            #expect(try await remote.range(request).keyValues.allSatisfy { $0.value.isEmpty })
        }
    }

    @Test func `Keys are written as the message has them, in as many bytes as foreseen`() {
        for number: Int64 in [0, 1, 127, 128, 16_383, 16_384, .max, -1] {
            for count in [0, 1, 127, 128, 20_000] {
                let keyValue = KeyValue(
                    key: Bytes(repeating: 1, count: count),
                    value: Bytes(repeating: 2, count: count),
                    createRevision: number, modRevision: 5, version: number, lease: number)
                var writer = ProtobufWriter()
                writer.write(2, keyValue)
                let encoding = EtcdRangeEncoding()
                #expect(encoding.encode([keyValue]) == writer.bytes)
                #expect(
                    encoding.bytes(keyValue, keyBytes: count, valueBytes: count) == writer.count)
            }
        }
    }
}
