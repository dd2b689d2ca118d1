import Keyspace
import Store

/// `/healthz`, `/livez` and `/readyz`, whole and check by check.
struct HealthChecks: Sendable {
    let store: any Store

    private struct Check {
        var name: String
        var failure: String?
    }

    func respond(_ info: RequestInfo, _ query: QueryParameters) async -> APIResponse {
        let parts = info.path.split(separator: "/").map(String.init)
        let endpoint = parts.first ?? ""
        var checks = [Check(name: "ping", failure: nil)]
        if endpoint != "livez" { checks.append(Check(name: "etcd", failure: await storeFailure())) }
        let excluded = query.all("exclude")
        if parts.count > 1 {
            guard let check = checks.first(where: { $0.name == parts[1] }) else {
                return .text("404 page not found\n", status: 404)
            }
            return check.failure == nil
                ? .text("ok")
                : .text("internal server error: \(check.failure ?? "")\n", status: 500)
        }
        checks.removeAll { excluded.contains($0.name) }
        let hasFailed = checks.contains { $0.failure != nil }
        guard hasFailed || query.has("verbose") else { return .text("ok") }
        var text = ""
        for check in checks {
            text +=
                check.failure == nil
                ? "[+]\(check.name) ok\n" : "[-]\(check.name) failed: \(check.failure ?? "")\n"
        }
        text += "\(endpoint) check \(hasFailed ? "failed" : "passed")\n"
        return .text(text, status: hasFailed ? 500 : 200)
    }

    /// The store must answer and know a leader.
    private func storeFailure() async -> String? {
        do {
            let status = try await store.status()
            return status.leaderID == 0 ? StoreError.noLeader.message : nil
        } catch {
            return error.message
        }
    }
}
