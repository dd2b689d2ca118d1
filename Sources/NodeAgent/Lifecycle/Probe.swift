package import Documents
import Objects

/// A probe with upstream's defaults.
package struct Probe: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case startup = "Startup"
        case liveness = "Liveness"
        case readiness = "Readiness"
    }

    package enum Check: Sendable, Hashable {
        case exec([String])
        case http(scheme: String, host: String, port: Port, path: String, headers: [Header])
        case tcp(host: String, port: Port)
        /// gRPC health checks are not there yet; the probe says so when it runs.
        case unsupported(String)
    }

    package enum Port: Sendable, Hashable {
        case number(Int)
        /// A named port of the container.
        case name(String)

        init(_ json: JSON?) {
            if let text = json?.stringValue {
                self = Int(text).map(Port.number) ?? .name(text)
            } else {
                self = .number(Int(json?.intValue ?? 0))
            }
        }
    }

    package struct Header: Sendable, Hashable {
        package var name: String
        package var value: String
    }

    package var check: Check
    package var initialDelaySeconds: Int64
    package var periodSeconds: Int64
    package var timeoutSeconds: Int64
    package var successThreshold: Int64
    package var failureThreshold: Int64

    package init?(_ json: JSON) {
        guard let check = Check(json) else { return nil }
        self.check = check
        initialDelaySeconds = json["initialDelaySeconds"]?.intValue ?? 0
        periodSeconds = max(1, json["periodSeconds"]?.intValue ?? 10)
        timeoutSeconds = max(1, json["timeoutSeconds"]?.intValue ?? 1)
        successThreshold = max(1, json["successThreshold"]?.intValue ?? 1)
        failureThreshold = max(1, json["failureThreshold"]?.intValue ?? 3)
    }
}

extension Probe.Check {
    /// Also reads the actions of lifecycle hooks, which are written the same way.
    package init?(_ json: JSON) {
        if let exec = json["exec"] {
            self = .exec((exec["command"]?.elements ?? []).compactMap(\.stringValue))
        } else if let http = json["httpGet"] {
            let headers = (http["httpHeaders"]?.elements ?? []).map {
                Probe.Header(
                    name: $0["name"]?.stringValue ?? "", value: $0["value"]?.stringValue ?? "")
            }
            self = .http(
                scheme: http["scheme"]?.stringValue ?? "HTTP",
                host: http["host"]?.stringValue ?? "", port: Probe.Port(http["port"]),
                path: http["path"]?.stringValue ?? "/", headers: headers)
        } else if let tcp = json["tcpSocket"] {
            self = .tcp(host: tcp["host"]?.stringValue ?? "", port: Probe.Port(tcp["port"]))
        } else if json["grpc"] != nil {
            self = .unsupported("gRPC probes are not supported by this node agent")
        } else {
            return nil
        }
    }
}
