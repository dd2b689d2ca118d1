import Basics
import Raft
import Testing
import WriteAheadLog

/// Power cuts at random points of random work: what was synced is there afterwards, what was not
/// is there as a prefix of the appends or not at all, and opening never refuses.
@Suite struct CrashTests {
    private struct Model {
        var states: [(state: HardState, entries: [Entry])] = [(HardState(), [])]
        var synced = 0
    }

    @Test(arguments: 0..<40) func syncedAppendsSurvive(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let files = MemoryLogFiles()
        var model = Model()
        var released: UInt64 = 0
        for _ in 0..<12 {
            let (log, recovered) = try reopen(files, segmentBytes: 9000)
            let found = model.states.lastIndex { state, entries in
                state == recovered.hardState
                    && entries.filter { $0.index > recovered.previousIndex } == recovered.entries
            }
            let position = try #require(found, "seed \(seed): a state that never was")
            #expect(position >= model.synced, "seed \(seed): a synced append is gone")
            #expect(recovered.previousIndex <= released)
            model.states = [model.states[position]]
            model.synced = 0
            for _ in 0..<random.below(30) {
                try step(log, &model, &released, &random)
            }
            files.crash(&random)
        }
    }

    private func step(
        _ log: WriteAheadLog, _ model: inout Model, _ released: inout UInt64,
        _ random: inout SeededRandom
    ) throws {
        var (state, all) = model.states[model.states.count - 1]
        switch random.below(10) {
        case 0..<6:
            if random.chance(1, in: 3) { state.term += 1 }
            let last = all.last?.index ?? 0
            let keep = max(released, last - min(last, random.chance(1, in: 4) ? 3 : 0))
            all.removeAll { $0.index > keep }
            let new = (0..<UInt64(1 + random.below(4))).map {
                entry(keep + 1 + $0, term: state.term, bytes: random.below(900))
            }
            all += new
            try log.append(hardState: state, entries: new)
            model.states.append((state, all))
        case 6..<9:
            try log.sync()
            model.synced = model.states.count - 1
        default:
            try log.sync()
            model.synced = model.states.count - 1
            released = max(released, (all.last?.index ?? 0) / 2)
            try log.release(before: released + 1)
        }
    }
}
