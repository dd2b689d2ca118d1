import Basics
import CMartlet
import NIOCore
import NIOPosix

/// A line of the shim's that somebody waits for, split at spaces.
struct ShimAnswer: Sendable {
    var words: [String]
    /// What follows an `executed` line.
    var output: Bytes = []
}

/// The agent's end of a shim's socket. See docs/formats/pod-state.md for the lines.
final class ShimConnection: Sendable {
    private struct State {
        var channel: (any Channel)?
        var isClosed = false
        /// Keyed by the verb's object: `start NAME`, `exec NAME`, `list`, `close`.
        var waiters: [String: [CheckedContinuation<ShimAnswer?, Never>]] = [:]
    }

    private let state = Locked(State())
    private let onExit: @Sendable (_ container: String, _ code: Int32, _ time: String) -> Void
    private let onClose: @Sendable () -> Void

    private init(
        onExit: @escaping @Sendable (String, Int32, String) -> Void,
        onClose: @escaping @Sendable () -> Void
    ) {
        self.onExit = onExit
        self.onClose = onClose
    }

    /// Connects to the shim of the pod in `directory`; nil if none listens there.
    static func connect(
        directory: String, group: any EventLoopGroup,
        onExit: @escaping @Sendable (String, Int32, String) -> Void,
        onClose: @escaping @Sendable () -> Void
    ) async -> ShimConnection? {
        let descriptor = unsafe martlet_connect_unix(directory, "shim.sock")
        guard descriptor >= 0 else { return nil }
        let connection = ShimConnection(onExit: onExit, onClose: onClose)
        let channel = try? await ClientBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ShimHandler(connection))
                }
            }
            .withConnectedSocket(descriptor).get()
        guard let channel else { return nil }
        connection.state.withLock { $0.channel = channel }
        return connection
    }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    func send(_ line: String) {
        guard let channel = state.withLock({ $0.channel }) else { return }
        channel.writeAndFlush(ByteBuffer(string: line + "\n"), promise: nil)
    }

    /// Sends the line and waits for the answer about `subject`; nil when the shim is gone.
    func ask(_ line: String, about subject: String) async -> ShimAnswer? {
        await withCheckedContinuation { continuation in
            let isClosed = state.withLock {
                if !$0.isClosed { $0.waiters[subject, default: []].append(continuation) }
                return $0.isClosed
            }
            guard !isClosed else { return continuation.resume(returning: nil) }
            if !line.isEmpty { send(line) }
        }
    }

    /// Waits until the shim is gone.
    func waitForClose() async {
        _ = await ask("", about: "close")
    }

    func close() {
        state.withLock { $0.channel }?.close(promise: nil)
    }

    fileprivate func receive(_ answer: ShimAnswer) {
        let words = answer.words
        guard let verb = words.first else { return }
        switch verb {
        case "exited" where words.count >= 4:
            onExit(words[1], Int32(words[2]) ?? 255, words[3])
        case "started", "failed": resume("start " + (words.count > 1 ? words[1] : ""), answer)
        case "executed", "unexecuted":
            resume("exec " + (words.count > 1 ? words[1] : ""), answer)
        case "end": resume("list", answer)
        default: break
        }
    }

    private func resume(_ subject: String, _ answer: ShimAnswer) {
        let waiter = state.withLock { state in
            guard var waiting = state.waiters[subject], !waiting.isEmpty else {
                return nil as CheckedContinuation<ShimAnswer?, Never>?
            }
            let first = waiting.removeFirst()
            state.waiters[subject] = waiting.isEmpty ? nil : waiting
            return first
        }
        waiter?.resume(returning: answer)
    }

    fileprivate func closed() {
        let waiters = state.withLock { state in
            state.isClosed = true
            defer { state.waiters = [:] }
            return state.waiters.values.flatMap { $0 }
        }
        for waiter in waiters { waiter.resume(returning: nil) }
        onClose()
    }
}

/// Cuts the stream into lines; an `executed` line is followed by its output.
private final class ShimHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connection: ShimConnection
    private var buffer = ByteBuffer()
    private var pending: (answer: ShimAnswer, count: Int)?

    init(_ connection: ShimConnection) {
        self.connection = connection
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var part = unwrapInboundIn(data)
        buffer.writeBuffer(&part)
        while parse() {}
        buffer.discardReadBytes()
    }

    func channelInactive(context: ChannelHandlerContext) {
        connection.closed()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func parse() -> Bool {
        if let (answer, count) = pending {
            guard let output = buffer.readBytes(length: count) else { return false }
            pending = nil
            connection.receive(ShimAnswer(words: answer.words, output: output))
            return true
        }
        guard let end = buffer.readableBytesView.firstIndex(of: UInt8(ascii: "\n")),
            let line = buffer.readString(length: end - buffer.readerIndex)
        else { return false }
        buffer.moveReaderIndex(forwardBy: 1)
        let answer = ShimAnswer(words: line.split(separator: " ").map(String.init))
        if answer.words.first == "executed", answer.words.count >= 4,
            let count = Int(answer.words[3])
        {
            pending = (answer, count)
        } else {
            connection.receive(answer)
        }
        return true
    }
}
