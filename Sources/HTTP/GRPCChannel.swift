package import Basics
package import NIOCore

/// Calls to any one of several servers.
///
/// One connection is open at a time. When it fails, or its server keeps saying that it is
/// unavailable, the next endpoint is dialled; when all have failed, those who wait are told, and
/// dialling goes on with growing pauses as long as there are calls to make. Nothing is retried:
/// whether a call that failed took effect, only its caller can decide.
package final class GRPCChannel: @unchecked Sendable {
    // Sendable because all state belongs to `eventLoop`.
    package struct Endpoint: Sendable, Hashable {
        package var host: String
        package var port: Int

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    private static let pauseMillisecondsMax: Int64 = 2000
    private static let waitingMax = 10_000
    /// So many calls in a row that end as unavailable send us to another server.
    private static let failuresMax = 3

    package let eventLoop: any EventLoop
    private let endpoints: [Endpoint]
    private let tls: TLSClientOptions?
    private let limits: HTTPLimits
    /// Metadata `token` of every call: who calls, to etcd's services.
    let token: String?

    private var connection: HTTPClientConnection?
    private var isConnecting = false
    private var isClosed = false
    private var next = 0
    private var failedInRow = 0
    private var pauseMilliseconds: Int64 = 0
    private var failures = 0
    private var waiting: [GRPCCall] = []

    /// Dials on the first call.
    package init(
        endpoints: [Endpoint], tls: TLSClientOptions?, group: any EventLoopGroup,
        limits: HTTPLimits = HTTPLimits(), token: String? = nil
    ) {
        self.token = token
        precondition(!endpoints.isEmpty, "a channel needs an endpoint")
        eventLoop = group.next()
        self.endpoints = endpoints
        self.tls = tls
        self.limits = limits
    }

    /// One message each way; any thread. `done` is called once, on the event loop.
    package func unary(
        _ path: String, _ message: Bytes, timeoutMilliseconds: Int64 = 10_000,
        done: @escaping @Sendable (Result<Bytes, GRPCStatus>) -> Void
    ) {
        let call = GRPCCall(self, path, GRPCUnaryClient(done))
        call.timeoutMilliseconds = timeoutMilliseconds
        onLoop {
            call.loopSend(message)
            call.loopEnd()
            self.start(call)
        }
    }

    /// Any number of messages each way. A stream that fails is over; open another.
    package func stream(
        _ path: String, receiver: any GRPCClientReceiver, headers: HTTPHeaders = [:]
    ) -> GRPCClientStream {
        let call = GRPCCall(self, path, receiver)
        call.headers = headers
        call.holdsWindow = true
        onLoop { self.start(call) }
        return GRPCClientStream(call)
    }

    /// Fails what is open and takes no more calls.
    package func close() {
        onLoop {
            self.isClosed = true
            self.failWaiting(GRPCStatus(.unavailable, "channel closed"))
            self.connection?.close()
            self.connection = nil
        }
    }

    func onLoop(_ body: @escaping @Sendable () -> Void) {
        if eventLoop.inEventLoop { body() } else { eventLoop.execute(body) }
    }

    // MARK: On the event loop

    private func start(_ call: GRPCCall) {
        guard !isClosed else { return call.fail(GRPCStatus(.unavailable, "channel closed")) }
        call.startTimer()
        if let connection {
            if connection.takesRequests { return call.open(on: connection) }
            self.connection = nil
        }
        guard waiting.count < Self.waitingMax else {
            return call.fail(GRPCStatus(.resourceExhausted, "too many calls wait for a server"))
        }
        waiting.append(call)
        if !isConnecting { connect() }
    }

    private func connect() {
        isConnecting = true
        let endpoint = endpoints[next % endpoints.count]
        HTTPClientConnection.dial(
            host: endpoint.host, port: endpoint.port, tls: tls, on: eventLoop, limits: limits
        ).whenComplete { result in
            switch result {
            case .success(let connection): self.connected(connection)
            case .failure(let error): self.refused(endpoint, error)
            }
        }
    }

    private func connected(_ connection: HTTPClientConnection) {
        isConnecting = false
        guard !isClosed else { return connection.close() }
        failedInRow = 0
        failures = 0
        pauseMilliseconds = 0
        self.connection = connection
        connection.onClose { [weak self] in
            guard let self, self.connection === connection else { return }
            self.connection = nil
            self.next += 1
        }
        let calls = waiting
        waiting = []
        for call in calls where !call.isOver { start(call) }
    }

    private func refused(_ endpoint: Endpoint, _ error: any Error) {
        next += 1
        failedInRow += 1
        if failedInRow >= endpoints.count {
            failedInRow = 0
            failWaiting(
                GRPCStatus(
                    .unavailable, "no server reached; \(endpoint.host):\(endpoint.port): \(error)")
            )
            pauseMilliseconds = min(max(50, pauseMilliseconds * 2), Self.pauseMillisecondsMax)
        }
        let pause = failedInRow == 0 ? pauseMilliseconds : 0
        eventLoop.scheduleTask(in: .milliseconds(pause)) {
            self.isConnecting = false
            if !self.isClosed, !self.waiting.isEmpty { self.connect() }
        }
    }

    private func failWaiting(_ status: GRPCStatus) {
        let calls = waiting
        waiting = []
        for call in calls { call.fail(status) }
    }

    /// A call over the connection has ended; a server that serves nothing is left.
    func ended(_ status: GRPCStatus, on connection: HTTPClientConnection?) {
        guard let connection, connection === self.connection else { return }
        guard status.code == .unavailable || status.code == .deadlineExceeded else {
            failures = 0
            return
        }
        failures += 1
        guard failures >= Self.failuresMax, endpoints.count > 1 else { return }
        failures = 0
        next += 1
        self.connection = nil
        connection.close()
    }
}
