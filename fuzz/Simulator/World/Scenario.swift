package import Basics
import Keyspace
package import ReplicaCore

/// What one seed does: which faults, how often, how fast everything is. Drawn anew for every seed,
/// with some faults left out altogether, because a fault that is always on hides others.
package struct Scenario: Sendable {
    /// At the beginning.
    var replicas = 3
    /// That there can be, 7 at most.
    var places = 3
    var clients = 4
    /// In a rush, more clients come, and think little: many entries and reads are on their way at a
    /// time.
    package var rushingClients = 0
    var watchers = 2
    var keys = 6

    // Times are microseconds.
    var delayMin: UInt64 = 200
    var delayMax: UInt64 = 3_000
    /// In ten thousand packets.
    var lossPer10000 = 0
    var duplicatePer10000 = 0
    /// Packets that take up to `lateMax` longer, and overtake each other.
    var latePer10000 = 0
    var lateMax: UInt64 = 500_000
    /// How late a message may be heard: on its way, held up by a link and then by a paused process.
    var latestDelivery: UInt64 { lateMax + 10_000_000 }
    var syncMin: UInt64 = 100
    var syncMax: UInt64 = 2_000
    var faultInterval: UInt64 = 400_000
    var thinkMax: UInt64 = 60_000
    var isStorm = false
    /// Half of what clients ask for is to keep a lease alive.
    var isOfLeases = false
    /// How far clocks run fast or slow, in thousandths.
    package var driftPerMille: UInt64 = 0
    /// Times how long a sync takes when nothing is wrong.
    var diskSlowness: UInt64 = 1

    package var faults: [FaultKind] = []

    var hasDefaultTimeouts: Bool {
        (heartbeatMilliseconds, electionMilliseconds) == (50, 300)
    }

    // Settings of the replicas.
    package var heartbeatMilliseconds: UInt64 = 50
    package var electionMilliseconds: UInt64 = 300
    var snapshotLogBytes: UInt64 = 8_192
    var segmentBytes: UInt64 = 4_096
    var entriesInMemoryMax = 100
    /// For followers behind; 0 is that they take a snapshot.
    var entryBytesInMemoryMax = 1 << 20
    var inflightMessagesMax = 16
    var messageBytesMax = 1024
    package private(set) var inflightBytesMax = Limits.inflightBytesMax
    package private(set) var uncommittedBytesMax = Limits.uncommittedBytesMax
    package private(set) var hasReadLeases = false
    var recentEventBytesMax = 2_048
    var compactionRecords = 20
    /// How long a snapshot may be on its way, in microseconds.
    var streamMax: UInt64 = 200_000
    var hashCheckMilliseconds: UInt64 = 20_000
    /// The scrubber reads so many bytes every so many microseconds.
    var scrubBytes = 4_000
    var scrubInterval: UInt64 = 1_000_000

    package init(_ random: inout SeededRandom) {
        replicas = [1, 3, 3, 3, 3, 3, 3, 4, 5, 5, 5, 7][random.below(12)]
        clients = 2 + random.below(4)
        watchers = 1 + random.below(3)
        keys = 2 + random.below(6)
        drawSpeeds(&random)
        drawSettings(&random)
        for fault in FaultKind.allCases where random.chance(fault.share, in: 100) {
            faults.append(fault)
        }
        places = replicas
        if faults.contains(.churn) { places = min(7, replicas + random.below(5)) }
        if faults.contains(.learner) { places = max(places, min(7, replicas + 1)) }
        drawLimits(&random)
        hasReadLeases = random.chance(1, in: 2) && mayHaveReadLeases
    }

    private mutating func drawSpeeds(_ random: inout SeededRandom) {
        delayMax = UInt64(500 + random.below(6_000))
        if random.chance(1, in: 2) { lossPer10000 = random.below(3_000) }
        if random.chance(1, in: 2) { duplicatePer10000 = random.below(2_000) }
        if random.chance(1, in: 2) { latePer10000 = random.below([1_000, 6_000][random.below(2)]) }
        lateMax = [20_000, 500_000, 3_000_000][random.below(3)]
        syncMax = UInt64(200 + random.below(10_000))
        // In a storm, terms are too short for much to be committed in them.
        isStorm = random.chance(1, in: 4)
        faultInterval = UInt64(
            isStorm ? 40_000 + random.below(200_000) : 200_000 + random.below(1_500_000))
        thinkMax = UInt64(5_000 + random.below([20_000, 100_000, 1_000_000][random.below(3)]))
        if random.chance(1, in: 4) {
            rushingClients = 3 + random.below(5)
            thinkMax = UInt64(500 + random.below(5_000))
            // As many faults as elsewhere, in less time.
            faultInterval = max(40_000, faultInterval / 5)
        }
        isOfLeases = random.chance(1, in: 5)
        driftPerMille = [0, 10, 100, 300][random.below(4)]
        diskSlowness = random.chance(1, in: 4) ? UInt64(5 + random.below(20)) : 1
    }

    private mutating func drawSettings(_ random: inout SeededRandom) {
        if random.chance(1, in: 2) {
            heartbeatMilliseconds = [10, 20, 50, 100][random.below(4)]
            electionMilliseconds = heartbeatMilliseconds * UInt64(2 + random.below(10))
        }
        snapshotLogBytes = UInt64(2_048 << random.below(5))
        segmentBytes = UInt64(2048 << random.below(4))
        entriesInMemoryMax = [4, 20, 60, 200][random.below(4)]
        inflightMessagesMax = 1 + random.below(16)
        messageBytesMax = 64 << random.below(6)
        recentEventBytesMax = [400, 2_000, 20_000][random.below(3)]
        compactionRecords = [2, 10, 500][random.below(3)]
        streamMax = [50_000, 200_000, 3_000_000][random.below(3)]
        hashCheckMilliseconds = [500, 5_000, 20_000][random.below(3)]
        scrubBytes = [400, 4_000, 1 << 20][random.below(3)]
        scrubInterval = [200_000, 1_000_000, 10_000_000][random.below(3)]
        entryBytesInMemoryMax = [0, 0, 8_192, 1 << 20][random.below(4)]
    }

    /// Few entries' worth on some seeds, where leaders refuse proposals and hold entries back.
    ///
    /// What replicas propose by themselves has to get in, too: the hashes that seven of them report
    /// at a time fit the least of these.
    private mutating func drawLimits(_ random: inout SeededRandom) {
        if random.chance(1, in: 3) {
            inflightBytesMax = [1, 100, 400, 2_000][random.below(4)]
        }
        if random.chance(1, in: 3) { uncommittedBytesMax = [500, 1_500, 5_000][random.below(3)] }
    }

    /// Whether the clocks keep to what leases of reads rest on.
    ///
    /// A lease is half of an election timeout's ticks on the clock of the leader, from when it
    /// asked. Who answered votes for nobody for all of those ticks on a clock of its own; of these
    /// the first may come at once, and the others a quarter early. So the fastest clock must not
    /// come to the end of the second before the slowest comes to the end of the first. A clock that
    /// jumps ahead makes a tick come at once each time.
    ///
    /// Pauses do no harm: a lease is looked at in the round that takes the read in. If its answer
    /// comes late, or from a newer state, the read still stands between its call and its answer.
    /// Who is paused or starts anew counts fewer ticks.
    package var mayHaveReadLeases: Bool {
        guard !faults.contains(.clockJump) else { return false }
        let ticks = electionMilliseconds / heartbeatMilliseconds
        return 3 * (ticks - 1) * (1000 - driftPerMille) > 2 * ticks * (1000 + driftPerMille)
    }

    /// What the replicas are told of it.
    package func set(_ settings: inout ReplicaSettings) {
        settings.heartbeatMilliseconds = heartbeatMilliseconds
        settings.electionMilliseconds = electionMilliseconds
        settings.hasReadLeases = hasReadLeases
        settings.snapshotLogBytes = snapshotLogBytes
        settings.logSegmentBytes = segmentBytes
        settings.entriesInMemoryMax = entriesInMemoryMax
        settings.entryBytesInMemoryMax = entryBytesInMemoryMax
        settings.inflightMessagesMax = inflightMessagesMax
        settings.messageBytesMax = messageBytesMax
        settings.inflightBytesMax = inflightBytesMax
        settings.uncommittedBytesMax = uncommittedBytesMax
        settings.keyspace.recentEventBytesMax = recentEventBytesMax
        settings.keyspace.compactionRecordsPerApply = compactionRecords
        settings.hashCheckMilliseconds = hashCheckMilliseconds
    }

    /// What `leaveOut` knows beside the faults.
    package static let weather = [
        "loss", "duplicates", "late", "rush", "drift", "slowness", "watchers", "limits",
        "readLeases",
    ]

    mutating func leaveOut(_ names: [String]) {
        faults.removeAll { names.contains($0.rawValue) }
        if !faults.contains(.churn), !faults.contains(.learner) { places = replicas }
        if names.contains("loss") { lossPer10000 = 0 }
        if names.contains("duplicates") { duplicatePer10000 = 0 }
        if names.contains("late") { latePer10000 = 0 }
        if names.contains("rush") { rushingClients = 0 }
        if names.contains("drift") { driftPerMille = 0 }
        if names.contains("slowness") { diskSlowness = 1 }
        if names.contains("watchers") { watchers = 0 }
        if names.contains("limits") {
            inflightBytesMax = Limits.inflightBytesMax
            uncommittedBytesMax = Limits.uncommittedBytesMax
        }
        if names.contains("readLeases") { hasReadLeases = false }
    }

    private var raftText: String {
        let leases = hasReadLeases ? ", leases of reads" : ""
        return "heartbeat \(heartbeatMilliseconds) ms, election \(electionMilliseconds) ms, "
            + "\(inflightBytesMax) bytes in flight, \(uncommittedBytesMax) uncommitted\(leases)"
    }

    /// For the trace.
    var description: String {
        "\(replicas) to \(places) replicas, \(clients) and \(rushingClients) clients, \(keys) "
            + "keys; loss \(lossPer10000), duplicates \(duplicatePer10000), late "
            + "\(latePer10000) of 10000 by up to \(lateMax / 1000) ms; \(raftText); disks "
            + "\(diskSlowness) times slow, clocks off by \(driftPerMille) per mille"
            + "\(isStorm ? ", storm" : ""); faults: "
            + faults.map(\.rawValue).joined(separator: ", ")
    }
}

/// What can go wrong beside the weather of the network.
package enum FaultKind: String, Sendable, CaseIterable {
    case partition, oneWay, isolate, clog, kill, powerCut, blackout, pause, slowDisk, clockJump
    case syncError, fullDisk, lowDisk, bitRot, spareRot, misdirectedWrite, misread, keyspaceRot
    case wrongState, lostDirectory
    case snapshotCut
    case transfer, churn
    case learner, lostLearner, removedJoiner

    /// In how many of a hundred seeds it happens.
    var share: Int {
        switch self {
        case .partition, .kill, .powerCut: 60
        case .oneWay, .isolate, .clog, .pause, .slowDisk, .transfer: 40
        case .blackout, .snapshotCut: 30
        case .clockJump: 15
        case .syncError, .fullDisk, .lowDisk, .bitRot, .misdirectedWrite, .misread: 20
        case .keyspaceRot, .lostDirectory, .churn, .removedJoiner, .spareRot, .wrongState: 20
        case .learner: 30
        case .lostLearner: 70
        }
    }
}
