import Basics

/// What one seed does: which faults, how often, how fast everything is. Drawn anew for every seed,
/// with some faults left out altogether, because a fault that is always on hides others.
struct Scenario: Sendable {
    var replicas = 3
    var clients = 4
    var keys = 4
    /// Real LMDB instead of the ordered list.
    var usesLMDB = false

    // Times are microseconds.
    var delayMin: UInt64 = 200
    var delayMax: UInt64 = 3_000
    /// In ten thousand messages.
    var lossPer10000 = 0
    var duplicatePer10000 = 0
    /// Messages that take up to half a second.
    var latePer10000 = 0
    var syncMin: UInt64 = 100
    var syncMax: UInt64 = 2_000
    var faultInterval: UInt64 = 400_000
    var thinkMax: UInt64 = 60_000

    var isStorm = false
    /// How far clocks run fast or slow.
    var driftPercent = 10
    /// Times how long a sync takes when nothing is wrong.
    var diskSlowness: UInt64 = 1

    var partitions = false
    var oneWayPartitions = false
    var kills = false
    var powerCuts = false
    var slowDisks = false
    var pauses = false
    var replacements = false
    var transfers = false

    /// Entries between two snapshots.
    var snapshotEntries: UInt64 = 100
    /// Entries that stay in memory behind a snapshot.
    var keptEntries: UInt64 = 20
    var segmentBytes: UInt64 = 8192
    var inflightMessagesMax = 16
    var messageBytesMax = 1024
    var tickPeriod: UInt64 = 10_000

    init(_ random: inout SeededRandom, seed: UInt64, lmdbShare: Int) {
        usesLMDB = lmdbShare > 0 && seed % UInt64(lmdbShare) == 0
        replicas = [3, 3, 3, 4, 5, 5][random.below(6)]
        clients = 3 + random.below(4)
        keys = 1 + random.below(5)
        delayMax = UInt64(500 + random.below(6_000))
        if random.chance(2, in: 3) { lossPer10000 = random.below(2_000) }
        if random.chance(1, in: 2) { duplicatePer10000 = random.below(2_000) }
        if random.chance(1, in: 2) { latePer10000 = random.below(1_000) }
        syncMax = UInt64(200 + random.below(10_000))
        // In a storm, terms are too short for much to be committed in them.
        isStorm = random.chance(1, in: 4)
        faultInterval = UInt64(
            isStorm ? 20_000 + random.below(100_000) : 100_000 + random.below(600_000))
        thinkMax = UInt64(2_000 + random.below(random.chance(1, in: 2) ? 20_000 : 100_000))
        driftPercent = [0, 10, 50][random.below(3)]
        diskSlowness = random.chance(1, in: 4) ? UInt64(5 + random.below(20)) : 1
        partitions = random.chance(2, in: 3)
        oneWayPartitions = random.chance(1, in: 2)
        kills = random.chance(2, in: 3)
        powerCuts = random.chance(2, in: 3)
        slowDisks = random.chance(1, in: 2)
        pauses = random.chance(1, in: 2)
        replacements = random.chance(1, in: 2)
        transfers = random.chance(1, in: 2)
        snapshotEntries = UInt64(5 + random.below(150))
        keptEntries = UInt64(random.below(40))
        segmentBytes = UInt64(2048 << random.below(4))
        inflightMessagesMax = 1 + random.below(16)
        messageBytesMax = 64 << random.below(6)
    }

    /// For the trace.
    var description: String {
        let faults = [
            ("partitions", partitions), ("one-way partitions", oneWayPartitions),
            ("kills", kills), ("power cuts", powerCuts), ("slow disks", slowDisks),
            ("pauses", pauses), ("replacements", replacements), ("transfers", transfers),
        ].filter(\.1).map(\.0).joined(separator: ", ")
        return "\(replicas) replicas on \(usesLMDB ? "LMDB" : "lists"), \(clients) clients, "
            + "\(keys) keys; loss \(lossPer10000), duplicates \(duplicatePer10000), late "
            + "\(latePer10000) of 10000; a snapshot every \(snapshotEntries) entries; "
            + "disks \(diskSlowness) times slow, clocks off by \(driftPercent) %"
            + "\(isStorm ? ", storm" : ""); faults: " + faults
    }
}
