import Basics
import Documents
import HTTP
import Keyspace
import NIOCore
import Store

/// `/health`, `/livez` and `/readyz`, with etcd's checks, words and codes.
struct HealthPages: Sendable {
    enum Check: String, Sendable, CaseIterable {
        /// This replica can read what it has.
        case serializableRead = "serializable_read"
        /// The cluster has a quorum and this replica hears of it.
        case linearizableRead = "linearizable_read"
        case dataCorruption = "data_corruption"
        case nonLearner = "non_learner"
    }

    let store: any Store
    let counts: EtcdPortMetrics

    /// `?exclude=NOSPACE` passes over an alarm, `?serializable=true` asks only this replica.
    func health(_ head: HTTPRequestHead, _ stream: any HTTPServerStream) {
        let excluded = values(of: "exclude", head)
        let isSerializable = values(of: "serializable", head).contains("true")
        store.status { result in
            guard case .success(let status) = result else {
                return tell(stream, failure: "STATUS ERROR")
            }
            for alarm in status.raised {
                let name = alarm.kind == .noSpace ? "NOSPACE" : "CORRUPT"
                if !excluded.contains(name) { return tell(stream, failure: "ALARM \(name)") }
            }
            if !isSerializable, status.leaderID == 0 {
                return tell(stream, failure: "RAFT NO LEADER")
            }
            read(isSerializable: isSerializable) { error in
                tell(stream, failure: error.map { "RANGE ERROR:\($0.message)" })
            }
        }
    }

    private func tell(_ stream: any HTTPServerStream, failure: String?) {
        (failure == nil ? counts.healthSuccesses : counts.healthFailures).add()
        stream.answer(
            failure == nil ? 200 : 503,
            [
                "health": .string(failure == nil ? "true" : "false"),
                "reason": .string(failure ?? ""),
            ])
    }

    /// The checks of a path, all or the one that it names; nil for a path of nobody.
    func checks(of path: String) -> [Check]? {
        let parts = path.split(separator: "/")
        let all: [Check]
        switch parts.first {
        case "livez": all = [.serializableRead]
        case "readyz":
            all = [.dataCorruption, .serializableRead, .linearizableRead, .nonLearner]
        default: return nil
        }
        guard parts.count > 1 else { return all }
        return all.first { parts.count == 2 && $0.rawValue == parts[1] }.map { [$0] }
    }

    /// Runs the checks one after another; a failure is told in full, as with `?verbose`.
    func run(
        _ checks: [Check], _ head: HTTPRequestHead, _ stream: any HTTPServerStream
    ) {
        let excluded = values(of: "exclude", head)
        let isVerbose = head.query.split(separator: "&").contains { $0.hasPrefix("verbose") }
        run(checks.filter { !excluded.contains($0.rawValue) }[...], told: "", isGood: true) {
            text, isGood in
            let body = ByteBuffer(
                string: (isVerbose || !isGood ? text : "") + (isGood ? "ok\n" : ""))
            stream.respond(
                status: isGood ? 200 : 503,
                headers: [
                    "content-type": "text/plain; charset=utf-8",
                    "content-length": "\(body.readableBytes)",
                ], body: body)
        }
    }

    private func run(
        _ checks: ArraySlice<Check>, told: String, isGood: Bool,
        _ done: @escaping @Sendable (String, Bool) -> Void
    ) {
        guard let check = checks.first else { return done(told, isGood) }
        run(check) { failure in
            let line =
                failure.map { "[-]\(check.rawValue) failed: \($0)\n" }
                ?? "[+]\(check.rawValue) ok\n"
            run(
                checks.dropFirst(), told: told + line, isGood: isGood && failure == nil, done)
        }
    }

    private func run(_ check: Check, _ done: @escaping @Sendable (String?) -> Void) {
        switch check {
        case .serializableRead, .linearizableRead:
            read(isSerializable: check == .serializableRead) { error in
                done(error.map { "range error: \($0.message)" })
            }
        case .dataCorruption:
            store.status { result in
                let isCorrupt = (try? result.get())?.raised.contains { $0.kind == .corrupt }
                done(isCorrupt == true ? "alarm activated: CORRUPT" : nil)
            }
        case .nonLearner:
            store.status { result in
                let isLearner = (try? result.get())?.isLearner
                done(isLearner == true ? "not supported for learner" : nil)
            }
        }
    }

    private func read(
        isSerializable: Bool, _ done: @escaping @Sendable (StoreError?) -> Void
    ) {
        var request = RangeRequest(.key(Array("health".utf8)), limit: 1)
        request.isSerializable = isSerializable
        store.range(request) { result in
            if case .failure(let error) = result { done(error) } else { done(nil) }
        }
    }

    private func values(of name: String, _ head: HTTPRequestHead) -> [String] {
        head.query.split(separator: "&").compactMap { pair -> String? in
            pair.hasPrefix(name + "=") ? String(pair.dropFirst(name.utf8.count + 1)) : nil
        }
    }
}
