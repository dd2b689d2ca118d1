import Basics
import Keyspace
import ReplicaCore
import Store
import TestSupport

/// What the root of a store with one member may ask of it: its snapshot has bytes of any kind, and
/// its leader is the only one that there can be.
struct OneMember: StoreAdmin {
    static let snapshotBytes = 100_000
    private static let memberID: UInt64 = 0xa1

    let store: KeyspaceStore

    func openSnapshot(
        _ form: SnapshotForm,
        _ done: @escaping @Sendable (Result<OpenedSnapshot, StoreError>) -> Void
    ) {
        done(
            .success(
                OpenedSnapshot(
                    token: 1, bytes: UInt64(Self.snapshotBytes), revision: store.revision)))
    }

    func readSnapshot(_ token: UInt64, offset: UInt64, count: Int) -> Result<Bytes, StoreError> {
        let rest = UInt64(Self.snapshotBytes) - min(offset, UInt64(Self.snapshotBytes))
        return .success(Bytes(repeating: 7, count: min(count, Int(rest))))
    }

    func closeSnapshot(_ token: UInt64) {}

    func changeMembers(
        _ request: MemberRequest, _ done: @escaping @Sendable (Result<UInt64, StoreError>) -> Void
    ) {
        if case .add = request { return done(.success(0xa2)) }
        done(.failure(.memberNotFound))
    }

    func transferLeadership(
        to member: UInt64, _ done: @escaping @Sendable (Result<UInt64, StoreError>) -> Void
    ) {
        done(member == Self.memberID ? .success(member) : .failure(.badTransferee))
    }

    func hash(
        revision: Int64, _ done: @escaping @Sendable (Result<RevisionHash, StoreError>) -> Void
    ) { done(store.keyspace.hash(atRevision: revision)) }

    func scrub(_ done: @escaping @Sendable (Result<String, StoreError>) -> Void) {
        done(.success("nothing to read"))
    }
}
