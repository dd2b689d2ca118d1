import Keyspace
import Raft
import ReplicaCore
import Testing

/// A snapshot file that was under way when its state turned out to be wrong.
@Suite struct WrongStateSnapshotTests {
    private func saved(at index: UInt64) -> ReplicaInput {
        .snapshotSaved(
            .success(
                SnapshotHeader(
                    clusterID: 7, index: index, term: 1, revision: 2, compactRevision: 0,
                    membership: [])))
    }

    /// The log begins behind the file of entry 2. Another one of that entry has the same name: to
    /// remove it would leave a rebuild with nothing to begin with.
    @Test func theFileThatTheLogBeginsBehindStays() throws {
        let fixture = try CoreFixture()
        let put = TransactionRequest(success: [.put(PutRequest(key: [1], value: [2]))])
        try fixture.follow([.nothing, .transaction(put)])
        try fixture.step([saved(at: 2)])
        try fixture.follow([
            .hashCheck, .hashReport(HashReport(member: 2, index: 3, hash: 1)),
            .hashReport(HashReport(member: 3, index: 3, hash: 1)),
        ])
        try #require(fixture.environment.status.isDivergent)
        try fixture.step([saved(at: 2)])
        #expect(fixture.environment.removedSnapshots == [])
        // One that nothing rests on goes.
        try fixture.step([saved(at: 5)])
        #expect(fixture.environment.removedSnapshots == [5])
    }
}
