import Basics
import Raft
import Testing

@Suite struct CodecTests {
    static let membership = Membership(
        voters: [1, 2, 300], outgoing: [2, 5, 7], learners: [4, 5], joining: [4])
    static let bodies: [Message.Body] = [
        .preVote(lastIndex: 7, lastTerm: 3),
        .preVoteResponse(granted: true),
        .vote(lastIndex: .max, lastTerm: 300, isTransfer: true),
        .voteResponse(granted: false),
        .append(
            prevIndex: 9, prevTerm: 2,
            entries: [
                Entry(term: 2, index: 10, payload: [1, 2, 3]),
                Entry(term: 5, index: 11, kind: .membership, payload: []),
            ], commit: 8),
        .append(prevIndex: 0, prevTerm: 0, entries: [], commit: 0),
        .appended(index: 1 << 40),
        .appendRejected(index: 4, hintIndex: 3, hintTerm: 2),
        .heartbeat(commit: 5, read: 6),
        .heartbeatResponse(read: 6),
        .readIndex(tokens: [1, 2, .max]),
        .readIndexResponse(index: 12, tokens: [1]),
        .installSnapshot(SnapshotMeta(index: 100, term: 7, membership: membership)),
        .timeoutNow,
    ]

    @Test(arguments: bodies) func roundTrip(_ body: Message.Body) throws {
        let message = Message(from: 1, to: 300, term: 1 << 50, body: body)
        #expect(try Message(decoding: message.encoded()) == message)
    }

    /// No prefix of a message is one, and no single changed byte crashes the decoder.
    @Test(arguments: bodies) func damage(_ body: Message.Body) {
        let bytes = Message(from: 1, to: 2, term: 3, body: body).encoded()
        for count in bytes.indices {
            #expect(throws: DecodingFailure.self) { try Message(decoding: Bytes(bytes[..<count])) }
            for value in [UInt8(0), 1, 0x7f, 0x80, 0xff] {
                var changed = bytes
                changed[count] = value
                _ = try? Message(decoding: changed)
            }
        }
        #expect(throws: DecodingFailure.self) { try Message(decoding: bytes + [0]) }
    }

    @Test func otherVersionIsRefused() {
        var bytes = Message(from: 1, to: 2, term: 3, body: .timeoutNow).encoded()
        bytes[0] = 1
        #expect(throws: DecodingFailure.self) { try Message(decoding: bytes) }
    }

    /// The bytes of docs/formats/raft-messages.md.
    @Test func documentedExample() {
        let message = Message(
            from: 1, to: 2, term: 3,
            body: .append(
                prevIndex: 9, prevTerm: 2,
                entries: [Entry(term: 3, index: 10, payload: Array("hi".utf8))], commit: 300))
        #expect(message.encoded().hex == "02050102030902ac0201030a00026869")
    }

    @Test func entriesMustFollowEachOther() {
        let gap = Message(
            from: 1, to: 2, term: 3,
            body: .append(
                prevIndex: 1, prevTerm: 1, entries: [Entry(term: 1, index: 3, payload: [])],
                commit: 0))
        #expect(throws: DecodingFailure.self) { try Message(decoding: gap.encoded()) }
    }

    @Test func membershipChange() throws {
        let steps: [MembershipChange.Step] = [
            .init(.addLearner, 7, context: [1, 2]), .init(.remove, 3), .init(.join, 300),
        ]
        for change in [MembershipChange(steps), .addVoter(9), .leaveJoint] {
            #expect(try MembershipChange(decoding: change.encoded()) == change)
        }
        #expect(
            MembershipChange(steps).encoded().hex == "1003" + "020300" + "0107020102" + "03ac0200")
        let bad: [Bytes] = [
            [], [0, 7, 0], [16], [16, 1], [16, 1, 9, 1, 0], [16, 1, 0, 0, 0], [16, 0, 0],
            [16, 2, 0, 1, 0, 0, 1, 0],
        ]
        for bytes in bad {
            #expect(throws: DecodingFailure.self) { try MembershipChange(decoding: bytes) }
        }
    }

    @Test func membership() throws {
        #expect(try Membership(decoding: Self.membership.encoded()) == Self.membership)
        #expect(Self.membership.encoded().hex == "030102ac02" + "03020507" + "020405" + "0104")
        let bad: [Bytes] = [
            [2, 2, 1, 0, 0, 0], [1, 1, 0, 1, 1, 0], [1, 1, 0, 0, 1, 2], [0, 1, 1, 0, 0],
            [1, 1, 0, 0],
        ]
        for bytes in bad {
            #expect(throws: DecodingFailure.self) { try Membership(decoding: bytes) }
        }
    }
}
