package import Basics
package import Keyspace
package import Raft

/// The one true log: the first replica that applies an entry writes it down, all others have to
/// agree. Beside it the dumb keyspace applies the same commands and says what state every replica
/// must have, and which events watchers must see.
package struct CommittedLog {
    package struct Item: Sendable {
        package var entry: Entry
        package var command: Command
        /// The highest term any replica had when it was first applied.
        var committedIn: UInt64
    }

    /// Events that became visible together.
    package struct Group: Sendable {
        package var first: Int64
        package var last: Int64
        package var events: [Event]

        package init(first: Int64, last: Int64, events: [Event]) {
            self.first = first
            self.last = last
            self.events = events
        }
    }

    /// Item i has index i + 1.
    package private(set) var items: [Item] = []
    package private(set) var groups: [Group] = []
    package private(set) var model = ModelKeyspace()
    /// The members after the last entry.
    package private(set) var membership: Membership
    private var digests: [UInt64]
    /// Running hashes by index, where a state was looked at.
    private var hashes: [UInt64: UInt64] = [:]
    /// Indexes by payload, for commands of clients, whose payloads differ.
    private var indexes: [Bytes: [UInt64]] = [:]

    package init(membership: Membership = Membership(voters: [])) {
        self.membership = membership
        digests = [model.digest]
    }

    package var lastIndex: UInt64 { UInt64(items.count) }

    package func indexes(of payload: Bytes) -> [UInt64] { indexes[payload] ?? [] }

    /// The entry of a client's command; nil if it never took effect.
    package func index(
        of payload: Bytes, isAcknowledged: Bool, name: () -> String
    ) throws(Violation) -> UInt64? {
        let found = indexes(of: payload)
        guard found.count < 2 else {
            throw .correctness("operation \(name()) is in the log twice: \(found)")
        }
        guard found.isEmpty, isAcknowledged else { return found.first }
        throw .correctness("operation \(name()) was acknowledged and is not in the log")
    }

    /// Who was told that there is too much on its way already knows that nothing was done, unlike
    /// after any other failure.
    package func checkRefused(_ payload: Bytes, name: () -> String) throws(Violation) {
        guard let index = indexes(of: payload).first else { return }
        throw .correctness("operation \(name()) was refused and is entry \(index) of the log")
    }

    /// A replica applied an entry. Returns whether it is the first to.
    package mutating func applied(
        _ entry: Entry, by replica: Int, maxTerm: UInt64
    ) throws(Violation) -> Bool {
        guard entry.index > lastIndex else {
            let known = items[Int(entry.index) - 1].entry
            guard known == entry else {
                throw .correctness(
                    "state machine safety: replica \(replica) applied \(entry.term)/"
                        + "\(entry.index), another one \(known.term)/\(known.index)")
            }
            return false
        }
        guard entry.index == lastIndex + 1 else {
            throw .correctness(
                "replica \(replica) applied entry \(entry.index) when the cluster had committed "
                    + "\(lastIndex)")
        }
        var command = Command.nothing
        if entry.kind == .normal {
            do {
                command = try Command(decoding: entry.payload)
            } catch {
                throw .correctness("entry \(entry.index) does not decode: \(error)")
            }
            indexes[entry.payload, default: []].append(entry.index)
        } else if entry.kind == .membership {
            let change: MembershipChange
            do {
                change = try MembershipChange(decoding: entry.payload)
            } catch {
                throw .correctness("entry \(entry.index) does not decode: \(error)")
            }
            let before = membership
            membership = before.applying(change)
            try MemberInvariants.check(change, from: before, to: membership)
        }
        items.append(Item(entry: entry, command: command, committedIn: maxTerm))
        let before = model.revision
        _ = model.apply(command)
        if !model.events.isEmpty {
            groups.append(
                Group(first: before + 1, last: model.revision, events: model.events))
        }
        digests.append(model.digest)
        return true
    }

    /// The running hash of a state that was found right. The model does not know it; replicas must
    /// have the same at the same entry.
    package mutating func note(
        hash: UInt64, at index: UInt64, of replica: Int
    ) throws(Violation) {
        guard let known = hashes.updateValue(hash, forKey: index), known != hash else { return }
        throw .correctness(
            "the running hash of replica \(replica) at entry \(index) is not another's there")
    }

    /// nil where no state was looked at.
    package func hash(at index: UInt64) -> UInt64? { hashes[index] }

    package func holds(_ digest: UInt64, at index: UInt64) -> Bool {
        index < UInt64(digests.count) && digests[Int(index)] == digest
    }

    /// A replica's whole state as of `index`.
    package func agrees(_ digest: UInt64, at index: UInt64, of replica: Int) throws(Violation) {
        guard index < UInt64(digests.count) else {
            throw .correctness("replica \(replica) is at entry \(index), which nobody applied")
        }
        guard digests[Int(index)] == digest else {
            throw .correctness("the state of replica \(replica) at entry \(index) is not right")
        }
    }
}
