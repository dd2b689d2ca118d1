import Documents
import Basics
import NIOCore
import NIOPosix
import NIOSSL
import Objects

/// Runs the checks of probes and of lifecycle hooks.
struct ProbeRunner: Sendable {
    struct Outcome: Sendable {
        var succeeded: Bool
        var output: String
    }

    let runtime: any ContainerRuntime
    let group: any EventLoopGroup

    func run(
        _ check: Probe.Check, timeoutSeconds: Int64, container: ContainerDescription, id: String,
        podIP: String
    ) async -> Outcome {
        switch check {
        case .exec(let command):
            return await exec(command, id, timeoutSeconds)
        case .http(let scheme, let host, let port, let path, let headers):
            guard let number = Self.number(port, container) else {
                return Outcome(succeeded: false, output: "invalid port")
            }
            let target = host.isEmpty ? podIP : host
            let isTLS = scheme.uppercased() == "HTTPS"
            return await http(target, number, path, headers, timeoutSeconds, isTLS: isTLS)
        case .tcp(let host, let port):
            guard let number = Self.number(port, container) else {
                return Outcome(succeeded: false, output: "invalid port")
            }
            return await tcp(host.isEmpty ? podIP : host, number, timeoutSeconds)
        case .unsupported(let text):
            return Outcome(succeeded: false, output: text)
        }
    }

    static func number(_ port: Probe.Port, _ container: ContainerDescription) -> Int? {
        switch port {
        case .number(let number): return number
        case .name(let name):
            let ports = container.json["ports"]?.elements ?? []
            return ports.first { $0["name"]?.stringValue == name }?["containerPort"]?.intValue
                .map(Int.init)
        }
    }

    private func exec(_ command: [String], _ id: String, _ timeout: Int64) async -> Outcome {
        do {
            let result = try await runtime.execSync(
                id, command: command, timeoutMilliseconds: UInt64(timeout) * 1000)
            if result.hasTimedOut {
                let text = "command timed out: \"\(command.joined(separator: " "))\" timed out "
                return Outcome(succeeded: false, output: text + "after \(timeout)s")
            }
            let output = String(result.output.prefix(10_240))
            return Outcome(succeeded: result.code == 0, output: output)
        } catch {
            return Outcome(succeeded: false, output: error.message)
        }
    }

    private func tcp(_ host: String, _ port: Int, _ timeout: Int64) async -> Outcome {
        do {
            let channel = try await ClientBootstrap(group: group)
                .connectTimeout(.seconds(timeout)).connect(host: host, port: port).get()
            try? await channel.close().get()
            return Outcome(succeeded: true, output: "")
        } catch {
            return Outcome(succeeded: false, output: Self.dialFailure(host, port, error))
        }
    }

    private static func dialFailure(_ host: String, _ port: Int, _ error: any Error) -> String {
        "dial tcp \(host):\(port): \(reason(error))"
    }

    private static func reason(_ error: any Error) -> String {
        if let error = error as? NIOConnectionError, let single = error.connectionErrors.first {
            return reason(single.error)
        }
        if let error = error as? IOError {
            return "connect: " + errnoText(error.errnoCode).lowercased()
        }
        if case ChannelError.connectTimeout = error { return "i/o timeout" }
        return "\(error)"
    }

    /// HTTP/1.1 by hand: the answer's first line is all that counts. As upstream, HTTPS takes any
    /// certificate: the pod is known by its address.
    private func http(
        _ host: String, _ port: Int, _ path: String, _ headers: [Probe.Header], _ timeout: Int64,
        isTLS: Bool
    ) async -> Outcome {
        let url = "Get \"\(isTLS ? "https" : "http")://\(host):\(port)\(path)\": "
        var request = "GET \(path.isEmpty ? "/" : path) HTTP/1.1\r\n"
        let names = headers.map { $0.name.lowercased() }
        if !names.contains("host") { request += "Host: \(host):\(port)\r\n" }
        if !names.contains("user-agent") { request += "User-Agent: kube-probe/1.36\r\n" }
        if !names.contains("accept") { request += "Accept: */*\r\n" }
        for header in headers { request += "\(header.name): \(header.value)\r\n" }
        request += "Connection: close\r\n\r\n"
        do {
            let line = StatusLine()
            let tls = isTLS ? try Self.trustingTLS() : nil
            let channel = try await ClientBootstrap(group: group)
                .connectTimeout(.seconds(timeout))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        if let tls {
                            try pipeline.addHandler(
                                NIOSSLClientHandler(context: tls, serverHostname: nil))
                        }
                        try pipeline.addHandler(StatusLineHandler(line, channel.eventLoop))
                    }
                }
                .connect(host: host, port: port).get()
            channel.writeAndFlush(ByteBuffer(string: request), promise: nil)
            let timer = channel.eventLoop.scheduleTask(in: .seconds(timeout)) {
                channel.close(promise: nil)
            }
            let code = await line.wait()
            timer.cancel()
            channel.close(promise: nil)
            switch code {
            case .some(200..<400): return Outcome(succeeded: true, output: "")
            case .some(let code):
                let text = "HTTP probe failed with statuscode: \(code)"
                return Outcome(succeeded: false, output: text)
            case nil:
                return Outcome(
                    succeeded: false,
                    output: url + "context deadline exceeded (Client.Timeout exceeded while "
                        + "awaiting headers)")
            }
        } catch {
            let failure = Self.dialFailure(host, port, error)
            return Outcome(succeeded: false, output: url + failure)
        }
    }
}

extension ProbeRunner {
    private static func trustingTLS() throws -> NIOSSLContext {
        var options = TLSConfiguration.makeClientConfiguration()
        options.certificateVerification = .none
        return try NIOSSLContext(configuration: options)
    }
}

/// The status code of an HTTP answer, once; nil when the connection ended without one.
private final class StatusLine: Sendable {
    private struct State {
        var code: Int?
        var isDone = false
        var waiter: CheckedContinuation<Int?, Never>?
    }
    private let state = Locked(State())

    func finish(_ code: Int?) {
        let waiter = state.withLock { state in
            guard !state.isDone else { return nil as CheckedContinuation<Int?, Never>? }
            state.isDone = true
            state.code = code
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: code)
    }

    func wait() async -> Int? {
        await withCheckedContinuation { continuation in
            let (isDone, code) = state.withLock { state in
                if !state.isDone { state.waiter = continuation }
                return (state.isDone, state.code)
            }
            if isDone { continuation.resume(returning: code) }
        }
    }
}

private final class StatusLineHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let line: StatusLine
    private var buffer = ByteBuffer()

    init(_ line: StatusLine, _ eventLoop: any EventLoop) {
        self.line = line
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var part = unwrapInboundIn(data)
        guard buffer.readableBytes < 65_536 else { return }
        buffer.writeBuffer(&part)
        let view = buffer.readableBytesView
        guard let end = view.firstIndex(of: UInt8(ascii: "\n")) else { return }
        let words = String(decoding: view[..<end], as: UTF8.self).split(separator: " ")
        let isHTTP = words.first?.hasPrefix("HTTP/") == true && words.count >= 2
        line.finish(isHTTP ? Int(words[1].prefix(3)) : nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        line.finish(nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
