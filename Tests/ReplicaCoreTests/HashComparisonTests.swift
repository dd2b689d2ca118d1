import Keyspace
import ReplicaCore
import Testing

/// Who is told what when the replicas' hashes are compared.
@Suite struct HashComparisonTests {
    private let three: [UInt64] = [1, 2, 3]

    private func report(_ member: UInt64, _ hash: UInt64, at index: UInt64 = 7) -> HashReport {
        HashReport(member: member, index: index, hash: hash)
    }

    /// A comparison with one check of which this replica has that hash.
    private func checked(_ own: UInt64) -> HashComparison {
        var comparison = HashComparison()
        #expect(comparison.checked(index: 7, hash: own) == .open)
        return comparison
    }

    @Test func aMajorityDecides() {
        var early = HashComparison()
        #expect(early.reported(report(1, 5), voters: three) == .open)
        var comparison = checked(5)
        #expect(comparison.reported(report(1, 5), voters: three) == .open)
        // Neither the same one twice nor somebody without a vote counts.
        #expect(comparison.reported(report(1, 5), voters: three) == .open)
        #expect(comparison.reported(report(9, 5), voters: three) == .open)
        #expect(comparison.reported(report(2, 6), voters: three) == .open)
        #expect(comparison.reported(report(3, 5), voters: three) == .agrees)
        #expect(comparison.agreedIndex == 7)
    }

    @Test func allAlikeIsSaidWithTheLastReport() {
        var comparison = checked(5)
        #expect(comparison.reported(report(1, 5), voters: three) == .open)
        #expect(comparison.reported(report(2, 5), voters: three) == .agrees)
        #expect(comparison.reported(report(3, 5), voters: three) == .unanimous)
        var alone = checked(5)
        #expect(alone.reported(report(1, 5), voters: [1]) == .unanimous)
    }

    @Test func whoIsInTheMinorityDiffers() {
        var comparison = checked(4)
        #expect(comparison.reported(report(1, 5), voters: three) == .open)
        #expect(comparison.reported(report(3, 4), voters: three) == .open)
        #expect(
            comparison.reported(report(2, 5), voters: three)
                == .differs(entry: 7, own: 4, theirs: 5, majority: [1, 2]))
        #expect(comparison.agreedIndex == 0)
    }

    /// A learner has no say, but is told.
    @Test func whoHasNoVoteDiffersToo() {
        var comparison = checked(4)
        #expect(comparison.reported(report(1, 5), voters: [1]) != .open)
    }

    @Test func withoutAMajorityNobodyIsRight() {
        var two = checked(4)
        #expect(two.reported(report(1, 4), voters: [1, 2]) == .open)
        #expect(two.reported(report(2, 5), voters: [1, 2]) == .undecided(entry: 7))
        var three = checked(4)
        #expect(three.reported(report(1, 4), voters: self.three) == .open)
        #expect(three.reported(report(2, 5), voters: self.three) == .open)
        #expect(three.reported(report(3, 6), voters: self.three) == .undecided(entry: 7))
    }

    /// Two differ and the third is away: its report decides, however late it comes.
    @Test func theNextCheckDoesNotWaitForWhoIsAway() {
        var comparison = checked(4)
        #expect(comparison.reported(report(1, 4), voters: three) == .open)
        #expect(comparison.reported(report(2, 5), voters: three) == .open)
        #expect(comparison.checked(index: 9, hash: 4) == .undecided(entry: 7))
        #expect(comparison.checked(index: 11, hash: 4) == .open)
        #expect(
            comparison.reported(report(3, 5), voters: three)
                == .differs(entry: 7, own: 4, theirs: 5, majority: [2, 3]))
    }

    /// Who is away without anybody differing is no news.
    @Test func alikeReportsOfSomeLeaveACheckOpen() {
        var comparison = checked(4)
        #expect(comparison.reported(report(1, 4), voters: three) == .open)
        #expect(comparison.checked(index: 9, hash: 4) == .open)
    }
}
