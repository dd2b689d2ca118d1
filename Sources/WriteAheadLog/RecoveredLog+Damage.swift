import Basics
import Raft

extension LogScan {
    /// Reads the log into `recovered`; damage is thrown or gone on behind, as the policy says.
    static func walk(
        _ files: any LogFiles, clusterID: UInt64, into recovered: inout RecoveredLog,
        _ policy: DamagePolicy
    ) throws(LogError) -> LogScan {
        // Closures that a struct keeps cannot hold an inout argument.
        let box = Box(recovered)
        var visitor = Visitor(
            begin: { box.log.begin(previousIndex: $0, previousTerm: $1) },
            record: { record, _, _ in box.log.take(record) }, resume: nil,
            passesOver: recovered.passesOver, cut: { box.log.cut(behind: $0) })
        if policy != .refuse {
            visitor.resume = {
                box.log.resume(lastIndex: $0.lastIndex, lastTerm: $0.lastTerm)
            }
        }
        defer { recovered = box.log }
        return try walk(files, clusterID: clusterID, visitor)
    }

    private final class Box {
        var log: RecoveredLog

        init(_ log: RecoveredLog) {
            self.log = log
        }
    }
}

extension RecoveredLog {
    /// Decides what of a log counts, and takes over the vote, which is kept in two places.
    ///
    /// If damage lies wholly below what the state machine holds, and the log behind it is whole,
    /// nothing is missing. Else the log ends before the damage, and what it may have held behind
    /// is noted as lost. Of the entries before the damage those count that are known to be
    /// committed: others may have been replaced in what is damaged. Known are those up to the
    /// commit index there, and up to the applied entry if the log has that one. Returns what to
    /// declare void.
    mutating func settle(
        _ scan: LogScan, _ policy: DamagePolicy
    ) throws(LogError) -> VoidRange? {
        if let vote = scan.vote, (vote.term, vote.vote) != (hardState.term, hardState.vote),
            vote.term > hardState.term || vote.term == hardState.term && hardState.vote == 0
        {
            hardState.term = vote.term
            hardState.vote = vote.vote
        }
        trim()
        self.damage = scan.damage ?? scan.harmless
        guard let damage = scan.damage, case .goOn(let applied, let appliedTerm) = policy else {
            return nil
        }
        if damage.end != nil {
            // Missing is only what is applied.
            guard previousIndex > applied else { return nil }
        } else if scan.vote == nil {
            var error = damage.error
            error.reason += ", and both copies of the vote are damaged too"
            throw error
        }
        cutAtDamage()
        let own = term(at: applied)
        cut(behind: own == appliedTerm ? max(applied, damage.commit) : damage.commit)
        let tail = damage.end.map { LostTail.upTo(term: $0.term, index: $0.index) } ?? .unknown
        lost = Mutant.isOn(.tailForgotten) ? lost : tail.merged(with: lost)
        guard applied > lastIndex || own != nil && own != appliedTerm else {
            return VoidRange(sequence: damage.sequence, offset: damage.wholeBytes)
        }
        // The state machine is ahead of what is left: the log goes on behind it.
        entries = []
        previousIndex = applied
        previousTerm = appliedTerm
        return VoidRange(sequence: scan.segments[0].sequence, offset: 0)
    }
}
