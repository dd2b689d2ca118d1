import Documents
import Basics
import HTTP
import Objects

extension ResourceService {
    private static let logParameters = [
        "follow", "tailLines", "sinceSeconds", "sinceTime", "timestamps", "previous", "limitBytes",
    ]

    /// `GET pods/NAME/log`: asks the pod's node over its tunnel and passes the bytes on.
    func log(_ context: RequestContext, _ writer: HTTPResponseWriter) async throws(APIError)
        -> APIResponse?
    {
        let info = context.info
        let pod = try await readExisting(.pod, namespace: info.namespace, name: info.name).object()
        let container = try logContainer(pod, context.query["container"])
        guard let node = pod.spec["nodeName"]?.stringValue, !node.isEmpty else {
            return .text("")
        }
        guard let tunnel = tunnels.connection(to: node) else {
            throw .serviceUnavailable(
                "the agent of node \"\(node)\" is not connected to this API server")
        }
        var parameters: [String] = []
        for name in Self.logParameters {
            if let value = context.query[name] {
                parameters.append(name + "=" + percentEncoded(value))
            }
        }
        let path = [info.namespace, info.name, container].map(percentEncoded)
        let target =
            "/containerLogs/" + path.joined(separator: "/")
            + (parameters.isEmpty ? "" : "?" + parameters.joined(separator: "&"))
        do {
            let response = try await tunnel.streaming(HTTPClientRequest(target: target))
            guard response.status == 200 else {
                throw try await Self.failure(response)
            }
            writer.onCancel { response.cancel() }
            writer.start(status: 200, headers: ["content-type": "text/plain"])
            while let bytes = try await response.next() { try await writer.write(bytes) }
            writer.finish()
        } catch let error as APIError {
            throw error
        } catch {
            if writer.hasStarted {
                writer.abort()
                return nil
            }
            throw .internalError("the log of node \"\(node)\": \(error)")
        }
        return nil
    }

    /// The agent's answer when it has no log to give.
    private static func failure(_ response: HTTPStreamingResponse) async throws -> APIError {
        var text = Bytes()
        while text.count < 4096, let bytes = try await response.next() { text += bytes }
        let message = trimmed(String(decoding: text, as: UTF8.self)[...].prefix { $0 != "\n" })
        switch response.status {
        case 400: return .badRequest(message)
        case 404: return APIError(code: 404, reason: "NotFound", message: message)
        default: return .internalError(message)
        }
    }

    private func logContainer(_ pod: Object, _ asked: String?) throws(APIError) -> String {
        let main = names(pod.spec["containers"])
        let initial = names(pod.spec["initContainers"])
        let ephemeral = names(pod.spec["ephemeralContainers"])
        if let asked {
            guard (main + initial + ephemeral).contains(asked) else {
                throw .badRequest("container \(asked) is not valid for pod \(pod.name)")
            }
            return asked
        }
        if let preferred = pod.annotation("kubectl.kubernetes.io/default-container"),
            main.contains(preferred)
        {
            return preferred
        }
        guard main.count == 1, let only = main.first else {
            var message =
                "a container name must be specified for pod \(pod.name), choose one of: "
                + "[\(main.joined(separator: " "))]"
            if !initial.isEmpty {
                message += " or one of the init containers: [\(initial.joined(separator: " "))]"
            }
            throw .badRequest(message)
        }
        return only
    }

    private func names(_ containers: JSON?) -> [String] {
        (containers?.elements ?? []).compactMap { $0["name"]?.stringValue }
    }
}

/// For one segment of a path or one value of a query.
func percentEncoded(_ text: String) -> String {
    let digits = Bytes("0123456789ABCDEF".utf8)
    var out = Bytes()
    for byte in text.utf8 {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: out.append(byte)
        default: out += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: out, as: UTF8.self)
}
