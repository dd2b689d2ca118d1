import Documents
import Basics
package import HTTP
import Objects

extension NodeAgent {
    /// Answers `GET /containerLogs/NAMESPACE/POD/CONTAINER` from the API server over the tunnel.
    package var logHandler: any HTTPHandler {
        AsyncHTTPHandler(bodyBytesMax: 0) { request, writer in
            await self.serveLog(request.head, writer)
        }
    }

    private func serveLog(_ head: HTTPRequestHead, _ writer: HTTPResponseWriter) async {
        let parts = head.path.split(separator: "/").map { PercentDecoding.decode($0) }
        guard head.method == "GET", parts.count == 4, parts[0] == "containerLogs" else {
            return refuse(writer, 404, "the node agent serves no \(head.path)")
        }
        do throws(RuntimeError) {
            let options = try LogOptions(query: head.query, now: .now())
            let container = try await find(parts[1], parts[2], parts[3], options)
            await send(container, options, writer)
        } catch {
            refuse(writer, error.reason == "NotFound" ? 404 : 400, error.message)
        }
    }

    private func refuse(_ writer: HTTPResponseWriter, _ status: Int, _ message: String) {
        writer.respond(
            status: status, headers: HTTPHeaders([("content-type", "text/plain")]),
            body: Bytes(message.utf8))
    }

    private func find(
        _ namespace: String, _ pod: String, _ name: String, _ options: LogOptions
    ) async throws(RuntimeError) -> RuntimeContainer {
        guard let uid = sandboxOfPod.withLock({ $0["\(namespace)/\(pod)"] }) else {
            throw RuntimeError("NotFound", "pod \"\(pod)\" is not on this node")
        }
        let attempts = await runtime.listContainers(sandbox: uid)
            .filter { $0.name == name && $0.state != .created }
        if options.isPrevious {
            // While the next attempt waits for its time, the last one is the previous one.
            var ended = attempts
            if await waitingReason(namespace, pod, name) == nil, !ended.isEmpty {
                ended.removeLast()
            }
            guard let last = ended.last else {
                throw RuntimeError(
                    "BadRequest",
                    "previous terminated container \"\(name)\" in pod \"\(pod)\" not found")
            }
            return last
        }
        guard let current = attempts.last else {
            let reason = await waitingReason(namespace, pod, name) ?? "ContainerCreating"
            throw RuntimeError(
                "BadRequest",
                "container \"\(name)\" in pod \"\(pod)\" is waiting to start: \(reason)")
        }
        return current
    }

    private func waitingReason(_ namespace: String, _ pod: String, _ name: String) async -> String?
    {
        let key = ResourceKind.pod.key(namespace: namespace, name: pod)
        guard let object = try? await access.get(key) else { return nil }
        let all =
            (object.status["initContainerStatuses"]?.elements ?? [])
            + (object.status["containerStatuses"]?.elements ?? [])
        let status = all.first { $0["name"]?.stringValue == name }
        return status?.path("state", "waiting", "reason")?.stringValue
    }

    private func send(
        _ container: RuntimeContainer, _ options: LogOptions, _ writer: HTTPResponseWriter
    ) async {
        let path = runtime.logPath(
            sandbox: container.sandbox, container: container.name, attempt: container.attempt)
        let file = LogFile(path)
        let follower = options.isFollowing && !options.isPrevious ? LogFollower() : nil
        defer { follower?.stop() }
        if let follower {
            let directory = String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)])
            _ = await follower.watch(directory, group: runtime.group)
            writer.onCancel { follower.mailbox.post(.cancelled) }
        }
        var formatter = LogFormatter(options)
        writer.start(status: 200, headers: HTTPHeaders([("content-type", "text/plain")]))
        do {
            try await runtime.blocking { .success(file.open(tailLines: options.tailLines)) }
            guard let follower else {
                try await copy(file, &formatter, writer)
                return writer.finish()
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { [runtime] in
                    await runtime.waitForExit(container.id)
                    follower.mailbox.post(.ended)
                }
                defer { group.cancelAll() }
                var isOver = false
                while !isOver, !formatter.isFull {
                    try await copy(file, &formatter, writer)
                    let wakes = await follower.mailbox.next()
                    if wakes.contains(where: { if case .cancelled = $0 { true } else { false } }) {
                        return
                    }
                    isOver = wakes.contains { if case .ended = $0 { true } else { false } }
                }
                try await copy(file, &formatter, writer)
            }
            writer.finish()
        } catch {
            writer.abort()
        }
    }

    /// Sends what there is now.
    private func copy(
        _ file: LogFile, _ formatter: inout LogFormatter, _ writer: HTTPResponseWriter
    ) async throws {
        while !formatter.isFull, !writer.isCancelled {
            let bytes = try await runtime.blocking { .success(file.read()) }
            if bytes.isEmpty { return }
            let output = formatter.take(bytes)
            if !output.isEmpty { try await writer.write(output) }
        }
    }
}
