import Basics
import NIOCore

/// What other threads ask of the connections of one event loop.
///
/// One for all of them: whoever answers many requests at once takes one lock a request and wakes
/// the loop once, whosever they are, and each connection's answers leave in one write.
final class LoopMailbox: WorkQueue, Sleeper, @unchecked Sendable {
    // Sendable because the `loop…` members are used on the event loop only.
    private enum Item {
        case command(HTTP2Stream, HTTP2Stream.Command)
        case work(@Sendable () -> Void)
    }

    private struct Waiting {
        var items: [Item] = []
        var isScheduled = false
    }

    let eventLoop: any EventLoop
    private let waiting = Locked(Waiting())
    /// Memory for the next items.
    private var loopSpare: [Item] = []
    private var loopUnflushed: [HTTP2Connection] = []
    private var loopIsDraining = false
    private var loopIsFlushScheduled = false

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    func send(_ command: HTTP2Stream.Command, to stream: HTTP2Stream) {
        add(.command(stream, command))
    }

    func run(_ work: @escaping @Sendable () -> Void) { add(.work(work)) }

    private func add(_ item: Item) {
        let wakes = waiting.withLock {
            $0.items.append(item)
            let wakes = !$0.isScheduled
            $0.isScheduled = true
            return wakes
        }
        if wakes { WakeBatch.wake(self) }
    }

    func wakeUp() {
        eventLoop.execute { WakeBatch.whole { self.loopDrain() } }
    }

    private func loopDrain() {
        var items = loopSpare
        loopSpare = []
        waiting.withLock {
            swap(&$0.items, &items)
            $0.isScheduled = false
        }
        loopIsDraining = true
        for item in items {
            switch item {
            case .command(let stream, let command): stream.connection.apply(command, to: stream)
            case .work(let work): work()
            }
        }
        loopIsDraining = false
        items.removeAll(keepingCapacity: items.count < 4096)
        loopSpare = items
        loopFlush()
    }

    /// Flushes a connection at the end of this tick.
    func loopFlushLater(_ connection: HTTP2Connection) {
        loopUnflushed.append(connection)
        guard !loopIsDraining, !loopIsFlushScheduled else { return }
        loopIsFlushScheduled = true
        eventLoop.execute {
            self.loopIsFlushScheduled = false
            self.loopFlush()
        }
    }

    private func loopFlush() {
        // A flush may call senders back, who ask for another one.
        let connections = loopUnflushed
        loopUnflushed = []
        for connection in connections { connection.flush() }
    }
}
