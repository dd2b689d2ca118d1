import Basics
import Raft
import WriteAheadLog

/// The log's thread: writes what waits as one batch, syncs once, then lets go of what depended
/// on it.
///
/// While a sync is under way the next batch gathers: that is group commit.
final class LogWriter: @unchecked Sendable {
    // Sendable because `log` belongs to the log's thread once it runs; the rest are constants.
    private let log: WriteAheadLog
    private let inbox: Mailbox<ReplicaInput>
    private let mailbox = Mailbox<Work>(limit: .max)
    private var thread: OSThread?

    enum Work: Sendable {
        case write(Ready.Write)
        /// A snapshot file is in place and synced; entries up to `keepFrom` can go.
        case snapshot(SnapshotMark)
        case install(SnapshotMark, done: @Sendable (Bool) -> Void)
        case stop
    }

    init(log: WriteAheadLog, inbox: Mailbox<ReplicaInput>) {
        self.log = log
        self.inbox = inbox
    }

    func start(sending transport: PeerTransport) {
        thread = OSThread.start("log") { self.run(transport) }
    }

    func add(_ work: Work) {
        mailbox.sendAlways(work)
    }

    /// Ends the thread after the work that waits.
    func stop() {
        add(.stop)
        thread?.join()
    }

    private func run(_ transport: PeerTransport) {
        var batch: [Work] = []
        var isStopping = false
        do throws(LogError) {
            while !isStopping {
                mailbox.take(into: &batch)
                isStopping = try handle(batch, transport)
            }
            log.close()
        } catch {
            inbox.sendAlways(.failed(ReplicaFailure(error)))
            // Whoever waits for an installation must not wait for ever.
            while !isStopping {
                for work in batch {
                    if case .install(_, let done) = work { done(false) }
                    if case .stop = work { isStopping = true }
                }
                if !isStopping { mailbox.take(into: &batch) }
            }
        }
    }

    /// Returns whether the thread should end.
    private func handle(
        _ batch: [Work], _ transport: PeerTransport
    ) throws(LogError) -> Bool {
        var mark: WriteMark?
        var messages: [Message] = []
        var installed: [@Sendable (Bool) -> Void] = []
        var marks: [SnapshotMark] = []
        var isStopping = false
        for work in batch {
            switch work {
            case .write(let write):
                try log.append(hardState: write.hardState, entries: write.entries)
                mark = write.mark
                messages += write.messages
            case .snapshot(let snapshot):
                try log.mark(snapshot)
                marks.append(snapshot)
            case .install(let snapshot, let done):
                try log.mark(snapshot)
                marks.append(snapshot)
                installed.append(done)
            case .stop:
                isStopping = true
            }
        }
        try log.sync()
        transport.send(messages)
        inbox.sendAlways(.persisted(mark, logBytes: log.usedBytes))
        for done in installed { done(true) }
        if let newest = marks.last { try log.release(before: newest.index + 1) }
        return isStopping
    }
}

extension Ready {
    /// The part of a Ready that goes through the log's thread.
    struct Write: Sendable {
        var hardState: HardState?
        var entries: [Entry]
        var mark: WriteMark
        var messages: [Message]
    }
}
