import ReplicaCore
import Testing

/// What a replica dares on a disk that is nearly full.
@Suite struct SpaceLimitsTests {
    @Test func aSnapshotIsTakenOnlyWhereItFits() {
        let total: UInt64 = 64 << 20
        let limits = SpaceLimits(totalBytes: total)
        #expect(limits.bareMin == 4 << 20)
        func fits(_ free: UInt64, _ used: UInt64) -> Bool {
            limits.fitsSnapshot(DiskSpace(freeBytes: free, totalBytes: total), of: used)
        }
        #expect(!fits(3 << 20, 10 << 20))
        #expect(fits(6 << 20, 10 << 20))
        // With the data gone, what makes room for the log can be taken.
        #expect(fits(3 << 20, 2 << 20))
        #expect(!fits(0, 0))
    }
}
