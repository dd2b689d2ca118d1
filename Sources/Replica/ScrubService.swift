import Basics
import Glibc
package import Keyspace
import ReplicaCore
import WriteAheadLog

/// What a pass of the scrubber read.
package struct ScrubReport: Sendable {
    package var keyspace = Scrubber.Report()
    package var logSegments = 0
    package var logBytes: UInt64 = 0
}

/// Reads the whole keyspace file and log, slowly, again and again, and at once when asked.
///
/// Damage in the keyspace ends the replica, which then rebuilds itself: the keyspace says so to
/// the core. Damage in the log ends it too, if something is missing: opening fetches what is lost
/// from the peers.
final class ScrubService: @unchecked Sendable {
    // Sendable because `thread` is written before the object is shared.
    typealias Answer = @Sendable (Result<ScrubReport, StoreError>) -> Void

    private enum Request: Sendable {
        case now(Answer)
        case stop
    }

    /// A log that is written to can look damaged for a moment; so often in a row it is.
    private static let logTries = 3
    private static let logPauseMicroseconds: UInt32 = 300_000

    private let settings: ReplicaSettings
    private let directory: ReplicaDirectory
    private let shared: ReplicaShared
    private let mailbox = Mailbox<Request>(limit: 16)
    private var thread: OSThread?

    init(_ settings: ReplicaSettings, _ directory: ReplicaDirectory, _ shared: ReplicaShared) {
        self.settings = settings
        self.directory = directory
        self.shared = shared
    }

    func start() {
        thread = OSThread.start("scrub", .background) { self.run() }
    }

    func stop() {
        mailbox.sendAlways(.stop)
        thread?.join()
    }

    /// Runs a whole pass as fast as it goes.
    func scrubNow(_ done: @escaping Answer) {
        if !mailbox.send(.now(done)) { done(.failure(.tooManyRequests)) }
    }

    private func run() {
        var batch: [Request] = []
        var schedule = ScrubSchedule(seconds: settings.scrubSeconds, now: .now())
        while true {
            mailbox.take(into: &batch, until: schedule.next)
            for request in batch {
                guard case .now(let done) = request else { return }
                done(scrubAll())
            }
            schedule.turn(
                shared.keyspace.withLock({ $0 }), now: MonotonicTime.now,
                scrubLog: { _ = scrubLog() })
        }
    }

    private func scrubAll() -> Result<ScrubReport, StoreError> {
        guard let keyspace = shared.keyspace.withLock({ $0 }) else { return .failure(.noLeader) }
        var scrubber = Scrubber()
        do throws(KeyspaceError) {
            while try scrubber.step(keyspace, bytesMax: 64 << 20, now: MonotonicTime.now) {}
        } catch {
            return .failure(StoreError(error))
        }
        guard scrubber.report.isComplete else { return .failure(.stopped) }
        return scrubLog().map { log in
            ScrubReport(
                keyspace: scrubber.report, logSegments: log.segments.count,
                logBytes: log.segments.reduce(0) { $0 + $1.usedBytes })
        }
    }

    private func scrubLog() -> Result<LogScan, StoreError> {
        var found: [LogError] = []
        while found.count < Self.logTries {
            do throws(LogError) {
                return .success(
                    try LogScan.scan(
                        DirectoryLogFiles(path: directory.log, isReadOnly: true),
                        clusterID: settings.clusterID, visit: { _, _, _ in nil }))
            } catch {
                found.append(error)
            }
            usleep(Self.logPauseMicroseconds)
        }
        let last = found[found.count - 1]
        // A segment was begun or recycled meanwhile: what that looks like does not come again.
        guard last.fatalExit == .corrupt, found.allSatisfy({ $0 == last }) else {
            return .failure(StoreError(.unavailable, "martlet: the log cannot be read: \(last)"))
        }
        if isMissingNothing() {
            settings.notice("\(last); nothing is missing all the same")
        } else {
            shared.inbox.sendAlways(
                .failed(ReplicaFailure(nil, "the log is damaged and is mended: \(last)")))
        }
        return .failure(StoreError(.corrupt, "martlet: the log of this replica: \(last)"))
    }

    /// Whether the keyspace has all that damage of the log hit. The next start would find the log
    /// as damaged as it is now, and go on: ending would help nobody, and come with every pass.
    private func isMissingNothing() -> Bool {
        guard let keyspace = shared.keyspace.withLock({ $0 }) else { return false }
        let applied = keyspace.appliedIndex
        let files = DirectoryLogFiles(path: directory.log, isReadOnly: true)
        do throws(LogError) {
            let survey = try LogScan.survey(
                files, clusterID: settings.clusterID, visit: { _ in })
            return survey.isMissingNothing(ifApplied: applied)
        } catch {
            return false
        }
    }
}
