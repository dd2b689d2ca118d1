import Basics
import Keyspace
import TestSupport
import Testing

/// The nine guarantees that etcd's robustness tests check, each on what slow and fast watchers were
/// told while compaction went on and the memory of recent events was far too small: so that each
/// of them passed between history and memory many times.
@Suite struct WatchGuaranteesTests {
    /// What one watcher asked for and was told, the events of a connection that was cut and taken
    /// up again included.
    private struct Transcript {
        var request: WatchRequest
        var start: Int64
        var batches: [WatchBatch] = []
        /// It fell behind the compact revision and was ended.
        var wasCompacted = false
        var resumes = 0

        var events: [Event] { batches.flatMap(\.events) }
        var completeUpTo: Int64 { batches.last?.revision ?? start - 1 }
    }

    private struct Run {
        var model: Model
        var transcripts: [Transcript]
        /// Compact revision when an event was delivered does not matter after the end.
        var compactRevision: Int64
    }

    private final class Puller {
        var transcript: Transcript
        var watch: KeyspaceWatch
        let bytesMax: Int
        private let heard = Locked<[Result<WatchBatch, StoreError>]>([])
        private var isPending = false
        private let keyspace: Keyspace

        init(_ keyspace: Keyspace, _ request: WatchRequest, bytesMax: Int) {
            self.keyspace = keyspace
            self.bytesMax = bytesMax
            let start =
                request.startRevision > 0 ? request.startRevision : keyspace.revision + 1
            transcript = Transcript(request: request, start: start)
            watch = keyspace.watch(request)
        }

        /// One pull, and what it answered if it did.
        func pull() {
            if transcript.wasCompacted { return }
            if !isPending {
                isPending = true
                watch.next(bytesMax: bytesMax) { [heard] result in
                    heard.withLock { $0.append(result) }
                }
            }
            for result in heard.withLock({ heard in
                defer { heard = [] }
                return heard
            }) {
                isPending = false
                switch result {
                case .success(let batch): transcript.batches.append(batch)
                case .failure(let error):
                    #expect(error.code == .compacted)
                    transcript.wasCompacted = true
                }
            }
        }

        /// A new watcher from behind the last revision that this one knows to be complete.
        func cutAndResume() {
            guard !transcript.wasCompacted else { return }
            watch.cancel()
            _ = heard.withLock { heard in
                defer { heard = [] }
                return heard
            }
            isPending = false
            transcript.resumes += 1
            var request = transcript.request
            request.startRevision = transcript.completeUpTo + 1
            watch = keyspace.watch(request)
        }
    }

    private static func run(_ seed: UInt64) throws -> Run {
        let fixture = try Fixture {
            $0.recentEventBytesMax = 3000
            $0.compactionRecordsPerApply = 2
        }
        var operations = RandomOperations(random: SeededRandom(seed: seed))
        var model = Model()
        var pullers: [Puller] = []
        for step in 0..<150 {
            let command = operations.command(model)
            switch command {
            case .transaction(let request): _ = model.apply(request)
            case .commit(let request): _ = model.apply(request)
            case .compact(let revision): _ = model.compact(revision)
            case .leaseGrant(let id, let ttl): _ = model.grant(id, ttl)
            case .leaseRevoke(let id): _ = model.revoke(id)
            default: break
            }
            try fixture.apply(command)
            if step % 5 == 0 {
                let request = WatchRequest(
                    operations.range(),
                    startRevision: operations.random.chance(1, in: 3)
                        ? 0 : operations.revision(model),
                    wantsPrevious: operations.random.chance(1, in: 2),
                    excludesPuts: operations.random.chance(1, in: 8),
                    excludesDeletes: operations.random.chance(1, in: 8))
                pullers.append(
                    Puller(fixture.keyspace, request, bytesMax: step % 2 == 0 ? 1 : 5000))
            }
            for (number, puller) in pullers.enumerated() {
                // Some pull at once, some seldom enough to fall behind.
                if operations.random.chance(1, in: 1 + number % 7) { puller.pull() }
                if operations.random.chance(1, in: 30) { puller.cutAndResume() }
            }
        }
        for puller in pullers {
            puller.watch.requestProgress()
            for _ in 0..<400 { puller.pull() }
        }
        return Run(
            model: model, transcripts: pullers.map(\.transcript),
            compactRevision: model.compactRevision)
    }

    private static let runs = Result { try (UInt64(0)..<12).map(run) }

    private func each(_ check: (Transcript, Run) -> Void) throws {
        for run in try Self.runs.get() {
            for transcript in run.transcripts { check(transcript, run) }
        }
    }

    private func wanted(_ transcript: Transcript, _ run: Run) -> [Event] {
        run.model.changes.filter { change in
            let request = transcript.request
            return change.revision >= transcript.start
                && change.revision <= transcript.completeUpTo
                && request.range.contains(change.event.keyValue.key)
                && !(request.excludesPuts && change.event.kind == .put)
                && !(request.excludesDeletes && change.event.kind == .delete)
        }.map(\.event)
    }

    @Test func theRunsMeetWhatTheyAreFor() throws {
        var resumed = 0
        var compacted = 0
        var events = 0
        try each { transcript, _ in
            resumed += transcript.resumes
            compacted += transcript.wasCompacted ? 1 : 0
            events += transcript.events.count
        }
        #expect(resumed > 100 && compacted > 10 && events > 1000)
    }

    /// 1. Only what was asked for.
    @Test func filter() throws {
        try each { transcript, _ in
            for event in transcript.events {
                #expect(transcript.request.range.contains(event.keyValue.key))
                #expect(event.keyValue.modRevision >= transcript.start)
                #expect(!(transcript.request.excludesPuts && event.kind == .put))
                #expect(!(transcript.request.excludesDeletes && event.kind == .delete))
            }
        }
    }

    /// 2. Revisions never go back.
    @Test func ordered() throws {
        try each { transcript, _ in
            let revisions = transcript.events.map(\.keyValue.modRevision)
            #expect(zip(revisions, revisions.dropFirst()).allSatisfy { $0 <= $1 })
        }
    }

    /// 3. No event twice.
    @Test func unique() throws {
        try each { transcript, _ in
            var seen: Set<String> = []
            var revision: Int64 = 0
            for event in transcript.events {
                // Only an etcd transaction with nested ones changes a key twice on a revision.
                if event.keyValue.modRevision != revision { seen = [] }
                revision = event.keyValue.modRevision
                let text = "\(event.kind) \(event.keyValue.key.hex) \(event.keyValue.version)"
                #expect(seen.insert(text).inserted)
            }
        }
    }

    /// 4. What was written at once arrives in one batch.
    @Test func atomic() throws {
        try each { transcript, run in
            var ends: [Int64: Int] = [:]
            for (number, batch) in transcript.batches.enumerated() {
                for event in batch.events {
                    let change = run.model.changes.first {
                        $0.revision == event.keyValue.modRevision
                    }
                    let end = change?.commitEnd ?? 0
                    #expect(ends[end] ?? number == number)
                    ends[end] = number
                }
            }
        }
    }

    /// 5. Behind the revision of a batch nothing of it or before it comes any more.
    @Test func bookmarkable() throws {
        try each { transcript, _ in
            var complete = transcript.start - 1
            for batch in transcript.batches {
                #expect(batch.revision >= complete)
                for event in batch.events {
                    #expect(event.keyValue.modRevision > complete)
                    #expect(event.keyValue.modRevision <= batch.revision)
                }
                complete = batch.revision
            }
        }
    }

    /// 6. A watcher that was cut off goes on where it was, and misses nothing.
    @Test func resumable() throws {
        try each { transcript, run in
            guard transcript.resumes > 0 else { return }
            #expect(
                transcript.events.map(\.keyValue)
                    == wanted(transcript, run).map(\.keyValue))
        }
    }

    /// 7. A put that made its key says so, and no other.
    @Test func isCreate() throws {
        try each { transcript, run in
            for event in transcript.events where event.kind == .put {
                let isFirst = event.keyValue.version == 1
                #expect(isFirst == (event.keyValue.createRevision == event.keyValue.modRevision))
            }
        }
    }

    /// 8. Everything that was asked for, up to where the watcher is complete; whoever is too late
    /// for that is told so, and has not been told a part.
    @Test func reliable() throws {
        try each { transcript, run in
            #expect(transcript.events.map(\.kind) == wanted(transcript, run).map(\.kind))
            #expect(
                transcript.events.map(\.keyValue)
                    == wanted(transcript, run).map(\.keyValue))
            if transcript.wasCompacted {
                #expect(transcript.completeUpTo < run.compactRevision)
            } else {
                let last = run.model.changes.last?.revision ?? 0
                #expect(transcript.completeUpTo >= last || transcript.start > last)
            }
        }
    }

    /// 9. The previous value is the one before the event, or is left out because it is compacted.
    @Test func previousKeyValue() throws {
        try each { transcript, run in
            for (event, wanted) in zip(transcript.events, wanted(transcript, run)) {
                if !transcript.request.wantsPrevious {
                    #expect(event.previous == nil)
                } else if event.previous == nil {
                    let revision = event.keyValue.modRevision
                    #expect(wanted.previous == nil || revision <= run.compactRevision)
                } else {
                    #expect(event.previous == wanted.previous)
                }
            }
        }
    }
}
