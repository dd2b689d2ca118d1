import Basics
import Raft
import Testing
import WriteAheadLog

let cluster: UInt64 = 0xc1

func entry(_ index: UInt64, term: UInt64 = 1, bytes: Int = 20) -> Entry {
    Entry(
        term: term, index: index,
        payload: Bytes(repeating: UInt8(truncatingIfNeeded: index) | 1, count: bytes))
}

func entries(_ range: ClosedRange<UInt64>, term: UInt64 = 1, bytes: Int = 20) -> [Entry] {
    range.map { entry($0, term: term, bytes: bytes) }
}

/// Small segments, so that a test sees several.
func smallOptions(segmentBytes: UInt64 = 12_288) -> WriteAheadLog.Options {
    var options = WriteAheadLog.Options()
    options.segmentBytes = segmentBytes
    options.firstReserveBytes = 1024
    return options
}

func reopen(
    _ files: any LogFiles, skipping: UInt64 = 0, keeping: KeptEntries = .none,
    segmentBytes: UInt64 = 12_288, damage: DamagePolicy = .refuse
) throws(LogError) -> (log: WriteAheadLog, recovered: RecoveredLog) {
    try WriteAheadLog.open(
        files, clusterID: cluster, options: smallOptions(segmentBytes: segmentBytes),
        skipping: skipping, keeping: keeping, damage: damage)
}

/// Expects that opening is refused with this kind, and returns the error.
@discardableResult
func refusal(
    _ files: any LogFiles, _ kind: LogError.Kind, cluster id: UInt64 = cluster,
    sourceLocation: SourceLocation = #_sourceLocation
) -> LogError? {
    do throws(LogError) {
        _ = try WriteAheadLog.open(files, clusterID: id)
        Issue.record("opened", sourceLocation: sourceLocation)
        return nil
    } catch {
        #expect(error.kind == kind, sourceLocation: sourceLocation)
        return error
    }
}

/// Bytes of a segment up to the last that is not zero, in whole sectors.
func usedBytes(_ files: MemoryLogFiles, _ name: String) throws -> Int {
    let content = try files.content(of: name)
    let used = content.count - content.reversed().prefix { $0 == 0 }.count
    return (used + 511) / 512 * 512
}
