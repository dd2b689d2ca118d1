/// Bugs that stores of this kind have had, put back one at a time to see that the simulator finds
/// them: docs/MUTANTS.md. Only a build with the flag `MUTANTS` (`tools/mutants`) has them; in every
/// other one `isOn` is the constant false, and nothing is left of the places that ask.
package enum Mutant: UInt8, Sendable, CaseIterable {
    // Raft
    case votesUnsynced = 1
    case acknowledgesUnsynced
    case asksForVotesUnsynced
    case votesTwice
    case votesForShorterLogs
    case commitsOldTerm
    case majorityOffByOne
    case lateAppendTruncates
    case lateSnapshotCutsLog
    case staleAcknowledgementCounts
    case readsWithoutQuorum
    case readsBeforeOwnCommit
    case heartbeatCommitsAll
    case appendCommitsAll
    // Log
    case logUnsynced
    case logReleasedEarly
    // Core
    case writesAgain
    case answersOtherTerm
    case readsBeforeApplied
    // Keyspace
    case appliedIndexApart
    case compactionDropsDeletion
    case historyRepeats
    case recentEventsSkipped
    // Leases
    case leaseForgetsTime
    case keepAliveForgotten
    // Raft's progress and members
    case progressUnsorted
    case windowOverflows
    case compactedProbeSent
    case eitherHalfCommits
    case changesAtOnce
    case removedStillVote
    // Damage and wrong states
    case tailForgotten
    case hashFollowsCompaction
    case anyHashDecides
    case revisionFalls
    // Watches
    case progressBeforeEvents
    case futureWatchBeginsNow
    case behindBeginsAgain
    // Leases of reads
    case leaseTooLong

    #if MUTANTS
        /// Set once, before anything runs. The text is looked for in released programs.
        nonisolated(unsafe) package static var active: Mutant?
        package static let marker = "built with MUTANTS"

        package static func isOn(_ mutant: Mutant) -> Bool { unsafe active == mutant }
    #else
        @inlinable @inline(__always) package static func isOn(_ mutant: Mutant) -> Bool { false }
    #endif
}
