import Basics
import Keyspace
import TestSupport
import Testing

/// A watcher with what it has been told, pulled again from within its answers.
private final class Follower: Sendable {
    struct Heard {
        var batches: [WatchBatch] = []
        var error: StoreError?
    }

    let watch: KeyspaceWatch
    let request: WatchRequest
    /// First revision that has to be delivered.
    let start: Int64
    let bytesMax: Int
    let heard = Locked(Heard())
    let isPulled = Locked(false)

    init(_ keyspace: Keyspace, _ request: WatchRequest, bytesMax: Int) {
        self.request = request
        self.bytesMax = bytesMax
        start = request.startRevision > 0 ? request.startRevision : keyspace.revision + 1
        watch = keyspace.watch(request)
    }

    func pull() {
        isPulled.withLock { $0 = true }
        watch.next(bytesMax: bytesMax) { [self] result in
            let goesOn = heard.withLock { heard -> Bool in
                switch result {
                case .success(let batch):
                    heard.batches.append(batch)
                    return true
                case .failure(let error):
                    heard.error = error
                    return false
                }
            }
            if goesOn { pull() }
        }
    }

    /// Pulls if that was not done yet: the watcher then begins far behind.
    func check(against model: Model) {
        let isUntouched = heard.withLock { $0.batches.isEmpty && $0.error == nil }
        if isUntouched, !isPulled.withLock({ $0 }) { pull() }
        let (batches, error) = heard.withLock { ($0.batches, $0.error) }
        let wanted = model.changes.filter { change in
            change.revision >= start && request.range.contains(change.event.keyValue.key)
                && !(request.excludesPuts && change.event.kind == .put)
                && !(request.excludesDeletes && change.event.kind == .delete)
        }
        let events = batches.flatMap(\.events)
        if let error {
            #expect(error.code == .compacted || error == .stopped)
            #expect(events.count <= wanted.count)
        } else {
            #expect(events.count == wanted.count)
        }
        for (event, change) in zip(events, wanted) {
            #expect(event.kind == change.event.kind)
            #expect(event.keyValue == change.event.keyValue)
            if !request.wantsPrevious {
                #expect(event.previous == nil)
            } else if change.revision > model.compactRevision || event.previous != nil {
                #expect(event.previous == change.event.previous)
            }
        }
        var before: Int64 = 0
        for batch in batches {
            #expect(batch.revision > before)
            before = batch.revision
            // A batch ends where a commit ends, and has nothing after its revision.
            let end = model.changes.first { $0.revision == batch.revision }?.commitEnd
            #expect(end == nil || end == batch.revision)
            #expect(batch.events.allSatisfy { $0.keyValue.modRevision <= batch.revision })
        }
    }
}

@Suite struct OracleTests {
    /// What a command answered, as something that can be compared.
    private static func text(_ result: CommandResult) -> String { "\(result)" }

    private static func expected(_ command: Command, _ model: inout Model) -> CommandResult {
        switch command {
        case .transaction(let request): .transaction(model.apply(request))
        case .commit(let request): .commit(model.apply(request))
        case .compact(let revision): .revision(model.compact(revision))
        case .leaseGrant(let id, let ttl): .lease(model.grant(id, ttl))
        case .leaseRevoke(let id): .revision(model.revoke(id))
        case .leaseCheckpoint, .membership, .alarm, .nothing, .hashReport: .none
        case .hashCheck: .hash(0)
        case .auth, .stamped: .none
        }
    }

    private static func check(_ keyspace: Keyspace, _ model: Model) {
        #expect(keyspace.revision == model.revision)
        #expect(keyspace.compactRevision == model.compactRevision)
        for revision in max(0, model.compactRevision - 1)...(model.revision + 1) {
            let request = RangeRequest(.all, revision: revision)
            #expect(keyspace.range(request) == model.range(request))
        }
        for id in Int64(1)...4 {
            let keys = (try? keyspace.lease(id, keys: true).get())?.keys
            #expect(keys == (model.leases[id] == nil ? nil : model.keys(ofLease: id)))
        }
    }

    @Test(arguments: 0..<40)
    func randomOperationsAgreeWithTheModel(seed: Int) throws {
        let directory = TemporaryDirectory()
        var options = Keyspace.Options()
        options.mapBytes = 1 << 30
        options.servesHistoryOnCaller = true
        options.recentEventBytesMax = 8000
        options.compactionRecordsPerApply = 3
        var operations = RandomOperations(random: SeededRandom(seed: UInt64(seed)))
        var model = Model()
        var followers: [Follower] = []
        let path = directory.path + "/keyspace"
        try directory.makeDirectory("keyspace")
        var keyspace = try Keyspace.open(directory: path, options: options)
        var index: UInt64 = 0
        for step in 0..<120 {
            var batch: [AppliedEntry] = []
            var expected: [String] = []
            for _ in 0...operations.random.below(4) {
                let command = operations.command(model)
                #expect(try Command(decoding: command.encode()) == command)
                index += 1
                batch.append(AppliedEntry(index: index, term: 1, command: command))
                expected.append(Self.text(Self.expected(command, &model)))
            }
            #expect(try keyspace.apply(batch).map(Self.text) == expected, "step \(step)")
            for _ in 0..<3 {
                let request = operations.rangeRequest(model)
                #expect(keyspace.range(request) == model.range(request), "step \(step)")
            }
            if operations.random.chance(1, in: 6) {
                let request = WatchRequest(
                    operations.range(),
                    startRevision: operations.random.chance(1, in: 3)
                        ? 0 : operations.revision(model),
                    wantsPrevious: operations.random.chance(1, in: 2),
                    excludesPuts: operations.random.chance(1, in: 8),
                    excludesDeletes: operations.random.chance(1, in: 8))
                let follower = Follower(keyspace, request, bytesMax: 1 + 3000 * (step % 2))
                if operations.random.chance(4, in: 5) { follower.pull() }
                followers.append(follower)
            }
            if operations.random.chance(1, in: 20) {
                for follower in followers { follower.check(against: model) }
                followers = []
                if operations.random.chance(1, in: 2) {
                    let file = directory.path + "/snapshot"
                    try SnapshotFile.save(keyspace.snapshot(clusterID: 7), to: file)
                    keyspace.stop()
                    try SnapshotFile.restore(file, into: path, replacing: true)
                } else {
                    keyspace.stop()
                }
                keyspace = try Keyspace.open(directory: path, options: options)
                #expect(keyspace.appliedIndex == index)
                Self.check(keyspace, model)
            }
            if step % 30 == 0 { Self.check(keyspace, model) }
        }
        Self.check(keyspace, model)
        for follower in followers { follower.check(against: model) }
        keyspace.stop()
    }
}
