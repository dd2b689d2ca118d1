package import Basics

/// The members of a cluster. Voters elect and commit; learners only receive.
///
/// Both lists are sorted, without duplicates, and have no member in common.
package struct Membership: Sendable, Hashable {
    package private(set) var voters: [UInt64]
    package private(set) var learners: [UInt64]

    package init(voters: [UInt64], learners: [UInt64] = []) {
        self.voters = voters.sorted()
        self.learners = learners.sorted()
        checkInvariants()
    }

    /// Voters that must agree for an election or a commit.
    package var quorum: Int { voters.count / 2 + 1 }

    package func contains(_ id: UInt64) -> Bool {
        voters.contains(id) || learners.contains(id)
    }

    /// Every member, sorted.
    package var all: [UInt64] { (voters + learners).sorted() }

    /// The members after `change`. A change that says what already holds changes nothing.
    package func applying(_ change: MembershipChange) -> Membership {
        var next = self
        next.voters.removeAll { $0 == change.id }
        next.learners.removeAll { $0 == change.id }
        switch change.action {
        case .addVoter: next.voters = (next.voters + [change.id]).sorted()
        case .addLearner: next.learners = (next.learners + [change.id]).sorted()
        case .remove: break
        }
        next.checkInvariants()
        return next
    }

    /// The highest value that a quorum of voters has reached, given each voter's value.
    /// Without voters nothing is ever reached.
    func quorumValue(_ value: (UInt64) -> UInt64) -> UInt64 {
        guard !voters.isEmpty else { return 0 }
        var values = voters.map(value)
        values.sort(by: >)
        return values[quorum - 1]
    }

    /// Whether the voters for which `holds` is true are a quorum.
    func isQuorum(_ holds: (UInt64) -> Bool) -> Bool {
        guard !voters.isEmpty else { return false }
        var count = 0
        for voter in voters where holds(voter) { count += 1 }
        return count >= quorum
    }

    private func checkInvariants() {
        for list in [voters, learners] {
            for (left, right) in zip(list, list.dropFirst()) {
                precondition(left < right, "member \(left) twice in \(self)")
            }
            precondition(list.first != 0, "0 is not a member id")
        }
        precondition(!voters.contains { learners.contains($0) }, "voter and learner in \(self)")
    }
}

extension Membership {
    package func encode(to writer: inout ByteWriter) {
        for list in [voters, learners] {
            writer.writeVarint(UInt64(list.count))
            for id in list { writer.writeVarint(id) }
        }
    }

    package init(from reader: inout ByteReader) throws(DecodingFailure) {
        voters = try Self.readIDs("voters", from: &reader)
        learners = try Self.readIDs("learners", from: &reader)
        for id in learners where voters.contains(id) {
            throw reader.failure("learners", "member \(id) is voter and learner")
        }
    }

    private static func readIDs(
        _ field: String, from reader: inout ByteReader
    ) throws(DecodingFailure) -> [UInt64] {
        let count = try reader.readVarint(field)
        guard count <= UInt64(reader.remaining) else {
            throw reader.failure(field, "input ends early")
        }
        var ids: [UInt64] = []
        for _ in 0..<count {
            let id = try reader.readVarint(field)
            guard id > ids.last ?? 0 else { throw reader.failure(field, "not in rising order") }
            ids.append(id)
        }
        return ids
    }

    package func encoded() -> Bytes {
        var writer = ByteWriter()
        encode(to: &writer)
        return writer.bytes
    }

    package init(decoding bytes: Bytes) throws(DecodingFailure) {
        var reader = ByteReader(bytes)
        try self.init(from: &reader)
        try reader.expectEnd("membership")
    }
}
