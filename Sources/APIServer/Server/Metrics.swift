import Basics

/// Counters behind `/metrics`, in upstream's names.
final class Metrics: Sendable {
    private struct Key: Hashable {
        var verb: String
        var group: String
        var version: String
        var resource: String
        var subresource: String
        var code: Int

        /// Labels in the order of the exposition.
        var labels: String {
            "code=\"\(code)\",group=\"\(group)\",resource=\"\(resource)\","
                + "subresource=\"\(subresource)\",verb=\"\(verb)\",version=\"\(version)\""
        }
    }
    private struct Counts {
        var requests = 0
        var seconds = 0.0
    }
    private struct State {
        var counts: [Key: Counts] = [:]
        var watches = 0
        var inflight = 0
    }

    private let state = Locked(State())

    func requestStarted() { state.withLock { $0.inflight += 1 } }
    func watchStarted() { state.withLock { $0.watches += 1 } }
    func watchEnded() { state.withLock { $0.watches -= 1 } }

    /// `info.resource` must be of a known kind, lest clients make up label values.
    func requestEnded(_ info: RequestInfo, isKnown: Bool, code: Int, milliseconds: UInt64) {
        let key = Key(
            verb: info.verb.uppercased(), group: isKnown ? info.group : "",
            version: isKnown ? info.version : "", resource: isKnown ? info.resource : "",
            subresource: isKnown ? info.subresource : "", code: code)
        state.withLock {
            $0.inflight -= 1
            $0.counts[key, default: Counts()].requests += 1
            $0.counts[key, default: Counts()].seconds += Double(milliseconds) / 1000
        }
    }

    /// Prometheus' text format.
    func text(revision: Int64, fileBytes: Int64) -> String {
        let snapshot = state.withLock { $0 }
        let lines = snapshot.counts.map { (labels: $0.key.labels, counts: $0.value) }
            .sorted { $0.labels < $1.labels }
        var out = ""
        func head(_ name: String, _ type: String, _ help: String) {
            out += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
        }
        head("apiserver_request_total", "counter", "Requests answered.")
        for line in lines {
            out += "apiserver_request_total{\(line.labels)} \(line.counts.requests)\n"
        }
        head("apiserver_request_duration_seconds", "summary", "Time to the complete answer.")
        for line in lines {
            out += "apiserver_request_duration_seconds_sum{\(line.labels)} \(line.counts.seconds)\n"
            out +=
                "apiserver_request_duration_seconds_count{\(line.labels)} \(line.counts.requests)\n"
        }
        head("apiserver_current_inflight_requests", "gauge", "Requests being answered.")
        out += "apiserver_current_inflight_requests \(snapshot.inflight)\n"
        head("apiserver_longrunning_requests", "gauge", "Open watches.")
        out += "apiserver_longrunning_requests{verb=\"WATCH\"} \(snapshot.watches)\n"
        head("martlet_store_revision", "gauge", "Newest revision of the store.")
        out += "martlet_store_revision \(revision)\n"
        head("martlet_store_file_bytes", "gauge", "Size of the keyspace file.")
        out += "martlet_store_file_bytes \(fileBytes)\n"
        return out
    }
}
