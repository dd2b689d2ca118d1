import Backup
import Basics
import Keyspace
import TestSupport
import Testing

@Suite struct RecoveryTests {
    private func recovered(
        _ history: History, committedOnly: Bool = false
    ) throws -> (Recovery.Recovered, hash: StateHash) {
        let scratch = TemporaryDirectory()
        let result = try Recovery(replica: history.replica, committedOnly: committedOnly)
            .run(scratch: scratch.path)
        try SnapshotFile.restore(result.path, into: scratch.path + "/result")
        let keyspace = try Keyspace.open(directory: scratch.path + "/result")
        defer { keyspace.stop() }
        return (result, try keyspace.stateHash())
    }

    @Test func theSurvivorsStateAndWhatItsLogHasBehindItIsKept() throws {
        let history = try History(seed: 1)
        for _ in 0..<100 { try history.step() }
        try history.stop()
        let whole = try recovered(history)
        #expect(whole.hash == history.states.last?.hash)
        #expect(whole.0.uncertain == 0 && whole.0.committed == 100)
        #expect(whole.0.base.hasSuffix("/keyspace"))
    }

    @Test func entriesThatMayNotBeCommittedAreKeptAndCounted() throws {
        let history = try History(seed: 2)
        for _ in 0..<50 { try history.step() }
        try history.step(applies: false)
        try history.stop()
        let all = try recovered(history)
        #expect(all.0.committed == 50 && all.0.uncertain == 1)
        let certain = try recovered(history, committedOnly: true)
        #expect(certain.0.committed == 50 && certain.0.uncertain == 0)
        #expect(certain.hash == history.states.last?.hash)
    }

    @Test func aDamagedKeyspaceIsPassedOverForTheLog() throws {
        let history = try History(seed: 4)
        for _ in 0..<50 { try history.step() }
        try history.stop()
        try history.directory.write(
            "replica-1/keyspace/boot", Bytes("running another-boot\n".utf8))
        let (result, hash) = try recovered(history)
        #expect(hash == history.states.last?.hash)
        #expect(result.base.hasSuffix("log alone"))
        #expect(result.notes.first?.contains("when the machine stopped") == true)
    }
}
