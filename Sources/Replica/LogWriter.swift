import Basics
import Raft
import ReplicaCore
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
    private let metrics: ReplicaMetrics
    private var thread: OSThread?

    private enum Work: Sendable {
        case log(LogWork)
        case stop
    }

    init(log: WriteAheadLog, inbox: Mailbox<ReplicaInput>, metrics: ReplicaMetrics) {
        self.log = log
        self.metrics = metrics
        self.inbox = inbox
    }

    func start(sending transport: PeerTransport) {
        thread = OSThread.start("log") { self.run(transport) }
    }

    func add(_ work: LogWork) {
        mailbox.sendAlways(.log(work))
    }

    /// Ends the thread after the work that waits.
    func stop() {
        mailbox.sendAlways(.stop)
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
        }
    }

    /// Returns whether the thread should end.
    private func handle(
        _ batch: [Work], _ transport: PeerTransport
    ) throws(LogError) -> Bool {
        var began = MonotonicTime.now()
        var written = LogBatch()
        var isStopping = false
        for work in batch {
            switch work {
            case .log(let work): try written.write(work, to: log)
            case .stop: isStopping = true
            }
            if written.isFull {
                try finish(written, from: began, transport)
                written = LogBatch()
                began = .now()
            }
        }
        try finish(written, from: began, transport)
        return isStopping
    }

    private func finish(
        _ written: LogBatch, from began: MonotonicTime, _ transport: PeerTransport
    ) throws(LogError) {
        try log.flush()
        let syncBegan = MonotonicTime.now()
        if try log.sync() {
            metrics.logAppend.observe(from: began, to: syncBegan)
            metrics.logSync.observe(from: syncBegan, to: .now())
        }
        transport.send(written.messages)
        for report in written.reports(log) { inbox.sendAlways(report) }
        try written.release(log)
    }
}
