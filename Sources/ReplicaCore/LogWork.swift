package import Raft
package import WriteAheadLog

/// What passes through the log's queue, in order.
package enum LogWork: Sendable {
    case write(LogWrite)
    /// A snapshot file is in place and synced; entries up to the mark can go.
    case snapshot(SnapshotMark)
    /// A peer's snapshot file takes the place of the keyspace and, if the mark says so, of the
    /// whole log.
    case install(SnapshotMark)
    /// Everything that damage of the log cost is there again.
    case healed
    /// Gives back what is held in reserve, and lets what is written so far go with the next
    /// snapshot.
    case shrink
}

/// The part of a Ready that goes through the log's queue.
package struct LogWrite: Sendable {
    package var hardState: HardState?
    package var entries: [Entry]
    package var mark: WriteMark
    /// Votes and acknowledgements: they leave when the write is durable, before it is reported.
    package var messages: [Message]

    package init(
        hardState: HardState?, entries: [Entry], mark: WriteMark, messages: [Message]
    ) {
        self.hardState = hardState
        self.entries = entries
        self.mark = mark
        self.messages = messages
    }
}
