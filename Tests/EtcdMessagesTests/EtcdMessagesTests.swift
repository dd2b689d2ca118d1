import Basics
import EtcdMessages
import Keyspace
import Testing

@Suite
struct EtcdMessagesTests {
    private func bytes(_ text: String) -> Bytes { Bytes(text.utf8) }

    @Test func `A put has the bytes that etcd's protobuf gives it`() {
        let put = PutRequest(key: bytes("k"), value: bytes("vv"), lease: 300, wantsPrevious: true)
        #expect(put.protobufBytes.hex == "0a016b" + "12027676" + "18ac02" + "2001")
        // Defaults are left out, a negative number takes ten bytes.
        #expect(PutRequest(key: [], value: []).protobufBytes == [])
        #expect(CompactionRequest(revision: -1).protobufBytes.hex == "08" + "ffffffffffffffffff01")
    }

    @Test func `Ranges are spelt with key and range_end`() throws {
        for (range, text) in [
            (KeyRange.key(bytes("a")), "0a0161"), (.prefix(bytes("a")), "0a016112" + "0162"),
            (.all, "0a0100120100"), (KeyRange(start: bytes("b"), end: .unbounded), "0a0162120100"),
        ] {
            let request = RangeRequest(range)
            #expect(request.protobufBytes.hex == text)
            #expect(try RangeRequest(protobuf: request.protobufBytes) == request)
        }
    }

    @Test func `Requests come back as they went`() throws {
        var range = RangeRequest(.prefix(bytes("p")), limit: 7, revision: 9)
        range.sortOrder = .descending
        range.sortTarget = .mod
        range.isSerializable = true
        range.keysOnly = true
        range.minModRevision = 3
        range.maxCreateRevision = 1 << 40
        #expect(try RangeRequest(protobuf: range.protobufBytes) == range)

        let targets: [Compare.Target] = [
            .version(1), .createRevision(0), .modRevision(5), .value([]), .value([0, 255]),
            .lease(-3),
        ]
        let relations: [Compare.Relation] = [.equal, .greater, .less, .notEqual, .equal, .greater]
        let transaction = TransactionRequest(
            compares: zip(targets, relations).map { Compare(.key([1]), $1, $0) },
            success: [
                .range(range), .deleteRange(DeleteRangeRequest(.all, wantsPrevious: true)),
                .transaction(TransactionRequest(success: [.put(PutRequest(key: [2], value: []))])),
            ], failure: [.put(PutRequest(key: [3], value: [4], ignoresLease: true))])
        #expect(try TransactionRequest(protobuf: transaction.protobufBytes) == transaction)

        let commit = CommitRequest(
            guards: [
                .modRevision(key: [1], equals: 0), .createRevision(key: [2], equals: 8),
                .unchanged(.all, since: 5), .unchanged(.prefix([9]), since: 0),
            ], mutations: [.put(key: [1], value: [], lease: 4), .delete(key: [2])])
        #expect(try CommitRequest(protobuf: commit.protobufBytes) == commit)
        for answer in [
            CommitResponse.committed(first: 3, last: 9), .guardFailed(index: 0, revision: 2),
        ] {
            #expect(try CommitResponse(protobuf: answer.protobufBytes) == answer)
        }
    }

    @Test func `Filters of a watch are read packed and one by one`() throws {
        for text in ["0a0161" + "2a020001", "0a0161" + "28002801"] {
            let message = stride(from: 0, to: text.count, by: 2).map { offset in
                let start = text.index(text.startIndex, offsetBy: offset)
                return UInt8(text[start...].prefix(2), radix: 16) ?? 0
            }
            let watch = try WatchCreateRequest(protobuf: message).watch
            #expect(watch.excludesPuts && watch.excludesDeletes)
            #expect(watch.range == .key(bytes("a")))
        }
    }

    @Test func `Unknown fields are passed over, unknown guards are not`() throws {
        // Field 99: a varint, eight bytes, four bytes and counted bytes.
        let unknown: Bytes = [
            0x98, 0x06, 0x05, 0x99, 0x06, 1, 2, 3, 4, 5, 6, 7, 8, 0x9d, 0x06, 1, 2, 3, 4, 0x9a,
            0x06, 0x01, 0x00,
        ]
        let put = PutRequest(key: [1], value: [2])
        #expect(try PutRequest(protobuf: unknown + put.protobufBytes + unknown) == put)
        #expect(throws: DecodingFailure.self) {
            try CommitRequest(protobuf: [0x0a, 0x02, 0x22, 0x00])
        }
    }

    @Test func `Broken bytes are errors that name the message`() {
        let transaction = TransactionRequest(
            compares: [Compare(.key([1]), .equal, .modRevision(5))],
            success: [.put(PutRequest(key: [1], value: Bytes(repeating: 7, count: 200)))])
        let whole = transaction.protobufBytes
        for count in 1..<whole.count {
            let cut = try? TransactionRequest(protobuf: Bytes(whole[..<count]))
            #expect(cut != transaction)
        }
        var random = SeededRandom(seed: 11)
        for _ in 0..<20_000 {
            var broken = whole
            for _ in 0..<3 {
                broken[random.below(broken.count)] = UInt8(truncatingIfNeeded: random.next())
            }
            _ = try? TransactionRequest(protobuf: broken)
            _ = try? CommitRequest(protobuf: broken)
            _ = try? WatchStreamResponse(protobuf: broken)
        }
        let failure = #expect(throws: DecodingFailure.self) {
            try PutRequest(protobuf: [0x0a, 0x7f])
        }
        #expect(failure?.field == "PutRequest")
    }

    /// As deep as there may be operations; deeper than that they do not even decode.
    @Test func `Transactions nest only so deep`() throws {
        var nested = TransactionRequest(success: [.put(PutRequest(key: [1], value: []))])
        for _ in 1..<Limits.transactionOperationsMax {
            nested = TransactionRequest(success: [.transaction(nested)])
        }
        let deepest = try TransactionRequest(protobuf: nested.protobufBytes)
        try deepest.validate()
        let command = Command.transaction(nested)
        #expect(try Command(decoding: command.encode()) == command)
        nested = TransactionRequest(success: [.transaction(nested)])
        #expect(throws: StoreError.tooManyOperations) {
            try TransactionRequest(protobuf: nested.protobufBytes).validate()
        }
        nested = TransactionRequest(success: [.transaction(nested)])
        #expect(throws: DecodingFailure.self) {
            try TransactionRequest(protobuf: nested.protobufBytes)
        }
    }

    @Test func `A range without a key is no range`() throws {
        // key is empty, range_end is "\0".
        let request = try DeleteRangeRequest(protobuf: [0x12, 0x01, 0x00])
        #expect(throws: StoreError.emptyKey) { try request.range.validate() }
        // Key "\0": everything.
        let all = try DeleteRangeRequest(protobuf: [0x0a, 0x01, 0x00, 0x12, 0x01, 0x00])
        #expect(all.range == .all)
        try all.range.validate()
    }

    @Test func `Strings are UTF-8 or refused, keys and values are any bytes`() throws {
        #expect(try AuthRequest(protobuf: [0x0a, 0x02, 0xc3, 0xa9]).name == [0xc3, 0xa9])
        let valid = try MemberChangeRequest(protobuf: [0x0a, 0x02, 0xc3, 0xa9], isAddition: true)
        #expect(valid.peerURLs == ["\u{e9}"])
        // A byte that none begins with, one cut short, a surrogate, and one longer than it need be.
        let wrong: [Bytes] = [[0xff], [0x61, 0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80]]
        for text in wrong {
            var first = ProtobufWriter()
            first.writeElement(1, text)
            var second = ProtobufWriter()
            second.writeElement(2, text)
            let (one, two) = (first.bytes, second.bytes)
            #expect(throws: DecodingFailure.self, "\(text)") { try AuthRequest(protobuf: one) }
            #expect(throws: DecodingFailure.self, "\(text)") { try AuthRequest(protobuf: two) }
            #expect(throws: DecodingFailure.self, "\(text)") { try PasswordRequest(protobuf: one) }
            #expect(throws: DecodingFailure.self, "\(text)") { try PasswordRequest(protobuf: two) }
            #expect(throws: DecodingFailure.self, "\(text)") {
                try GrantPermissionRequest(protobuf: one)
            }
            #expect(throws: DecodingFailure.self, "\(text)") {
                try RevokePermissionRequest(protobuf: one)
            }
            #expect(throws: DecodingFailure.self, "\(text)") {
                try MemberChangeRequest(protobuf: one, isAddition: true)
            }
            #expect(try PutRequest(protobuf: one).key == text)
            #expect(try PutRequest(protobuf: two).value == text)
            #expect(try Permission(protobuf: two).range == .key(text))
        }
    }

    @Test func `What etcd has words for is told apart from what is malformed`() {
        var nested = TransactionRequest(success: [])
        for _ in 0...Limits.transactionDepthMax {
            nested = TransactionRequest(success: [.transaction(nested)])
        }
        let deep = nested.protobufBytes
        let tooDeep = #expect(throws: DecodingFailure.self) {
            try TransactionRequest(protobuf: deep)
        }
        #expect(tooDeep?.kind == .tooDeep)
        let noOperation = #expect(throws: DecodingFailure.self) {
            try TransactionRequest(protobuf: [0x12, 0x00])
        }
        #expect(noOperation?.kind == .emptyChoice)
        for field: UInt8 in [0x28, 0x30] {
            let option = #expect(throws: DecodingFailure.self) {
                try RangeRequest(protobuf: [field, 9])
            }
            #expect(option?.kind == .unknownOption)
            let cut = #expect(throws: DecodingFailure.self) {
                try RangeRequest(protobuf: [field])
            }
            #expect(cut?.kind == .malformed)
        }
    }

    @Test func `What no enumeration has is no comparison`() {
        #expect(throws: DecodingFailure.self) { try Compare(protobuf: [0x08, 0x80, 0x02]) }
    }
}
