import Backup
import TestSupport
import Basics
import Keyspace
import Raft
import WriteAheadLog

/// A replica's log and keyspace driven by random commands, and beside them a model that knows the
/// state's hash after every revision.
final class History {
    static let cluster: UInt64 = 0xc1

    let directory = TemporaryDirectory()
    let keyspace: Keyspace
    private let log: WriteAheadLog
    var random: SeededRandom
    /// Time of the last command.
    private(set) var milliseconds: UInt64 = 1_700_000_000_000
    private var model: [Bytes: KeyValue] = [:]
    /// Revision and time, and the hash of the state from there on.
    private(set) var states: [(revision: Int64, milliseconds: UInt64, hash: StateHash)] = []
    private var leases: [Int64] = []

    var replica: String { directory.path + "/replica-1" }
    var snapshots: String { directory.path + "/snapshots" }

    init(seed: UInt64) throws {
        random = SeededRandom(seed: seed)
        for name in ["replica-1", "replica-1/log", "replica-1/keyspace", "snapshots"] {
            try directory.makeDirectory(name)
        }
        keyspace = try Keyspace.open(directory: directory.path + "/replica-1/keyspace")
        var options = WriteAheadLog.Options()
        options.segmentBytes = 16 << 10
        options.firstReserveBytes = 1024
        log = try WriteAheadLog.open(
            DirectoryLogFiles(path: directory.path + "/replica-1/log"), clusterID: Self.cluster,
            options: options
        ).log
        try BootMark.markRunning(directory: replica + "/keyspace")
    }

    deinit {
        keyspace.stop()
        log.close()
    }

    /// Ends the replica in order.
    func stop() throws {
        try keyspace.sync()
        keyspace.stop()
        try BootMark.markClean(directory: replica + "/keyspace")
    }

    var archiver: LogArchiver {
        LogArchiver(log: replica + "/log", folder: snapshots, clusterID: Self.cluster)
    }

    func archive() throws {
        _ = try archiver.catchUp(applied: keyspace.appliedIndex, bridged: 0)
    }

    @discardableResult
    func saveSnapshot() throws -> String {
        let path = snapshots + "/\(1000 + keyspace.appliedIndex).snapshot"
        try SnapshotFile.save(
            keyspace.snapshot(
                clusterID: Self.cluster, createdMilliseconds: milliseconds),
            to: path)
        return path
    }

    /// Appends a random command to the log, and applies it unless it is only in the log.
    func step(applies: Bool = true) throws {
        milliseconds += UInt64(random.below(400))
        let command = draw()
        var payload = command.encode()
        Command.stamp(&payload, milliseconds: milliseconds)
        let index = max(keyspace.appliedIndex, log.lastIndex) + 1
        try log.append(
            hardState: HardState(term: 1, vote: 1, commit: applies ? index : index - 1),
            entries: [Entry(term: 1, index: index, payload: payload)])
        try log.sync()
        guard applies else { return }
        _ = try keyspace.apply([AppliedEntry(index: index, term: 1, command: command)])
        track(command)
    }

    private func key() -> Bytes { Bytes("/k/\(random.below(60))".utf8) }

    private func value() -> Bytes {
        Bytes("\(random.next())".utf8) + Bytes(repeating: 0x2e, count: random.below(3000))
    }

    private func draw() -> Command {
        switch random.below(20) {
        case 0:
            let id = Int64(1 + random.below(1000))
            return .leaseGrant(id: id, ttlSeconds: 100)
        case 1 where !leases.isEmpty: return .leaseRevoke(id: leases[random.below(leases.count)])
        case 2...4: return .transaction(TransactionRequest(success: [deletion()]))
        case 5...8:
            var mutations: [CommitRequest.Mutation] = []
            for number in 0..<(1 + random.below(5)) {
                let key = Bytes("/c/\(number)/\(random.below(9))".utf8)
                mutations.append(.put(key: key, value: value(), lease: 0))
            }
            return .commit(CommitRequest(mutations: mutations))
        default:
            let lease = leases.isEmpty || random.chance(2, in: 3) ? 0 : leases[0]
            return .transaction(
                TransactionRequest(
                    success: [.put(PutRequest(key: key(), value: value(), lease: lease))]))
        }
    }

    private func deletion() -> Operation {
        .deleteRange(DeleteRangeRequest(.key(key())))
    }

    // MARK: The model

    private func track(_ command: Command) {
        var revision = states.last?.revision ?? 1
        switch command {
        case .transaction(let request):
            if case .put(let put) = request.success[0] {
                revision += 1
                self.put(put.key, put.value, put.lease, revision)
            } else if case .deleteRange(let delete) = request.success[0],
                model.removeValue(forKey: delete.range.start) != nil
            {
                revision += 1
            }
        case .commit(let request):
            for mutation in request.mutations {
                guard case .put(let key, let value, _) = mutation else { continue }
                revision += 1
                put(key, value, 0, revision)
            }
        case .leaseGrant(let id, _): if !leases.contains(id) { leases.append(id) }
        case .leaseRevoke(let id):
            leases.removeAll { $0 == id }
            let held = model.filter { $0.value.lease == id }.map(\.key)
            if !held.isEmpty { revision += 1 }
            for key in held { model.removeValue(forKey: key) }
        default: break
        }
        var hash = StateHash()
        for key in model.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            if let keyValue = model[key] { hash.add(keyValue) }
        }
        states.append((revision, milliseconds, hash))
    }

    private func put(_ key: Bytes, _ value: Bytes, _ lease: Int64, _ revision: Int64) {
        let old = model[key]
        model[key] = KeyValue(
            key: key, value: value, createRevision: old?.createRevision ?? revision,
            modRevision: revision, version: (old?.version ?? 0) + 1, lease: lease)
    }
}

extension Keyspace {
    func stateHash() throws -> StateHash {
        var hash = StateHash()
        for keyValue in try range(RangeRequest(.all)).get().keyValues { hash.add(keyValue) }
        return hash
    }
}
