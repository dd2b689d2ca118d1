import Basics
import HTTP
import Keyspace
import NIOCore
import Store

/// Calls with the metadata `hasleader: true`, as etcd serves them: refused where no leader is
/// known, and streams ended after three election timeouts without one. A client that watches at a
/// replica which is cut off would hear nothing for good; so it goes to another.
final class LeaderGate: GRPCCallGate {
    private struct State {
        /// One that is over goes with the next look.
        var streams: [GRPCServerStream] = []
        var timer: RepeatedTask?
        /// Looks without a leader, in a row.
        var misses = 0
    }

    private static let missesMax = 3

    private let store: any Store
    private let interval: TimeAmount
    private let state = Locked(State())

    init(_ store: any Store, electionMilliseconds: UInt64) {
        self.store = store
        interval = .milliseconds(Int64(electionMilliseconds))
    }

    func concerns(_ headers: HTTPHeaders) -> Bool { headers.first("hasleader") == "true" }

    func refusal(_ answer: @escaping @Sendable (GRPCStatus?) -> Void) {
        store.status { result in
            let hasLeader = (try? result.get()).map { $0.leaderID != 0 } ?? false
            answer(hasLeader ? nil : GRPCStatus(StoreError.noLeader))
        }
    }

    func watch(_ stream: GRPCServerStream) {
        state.withLock { state in
            state.streams.append(stream)
            guard state.timer == nil else { return }
            state.timer = stream.eventLoop.scheduleRepeatedTask(
                initialDelay: interval, delay: interval
            ) { [weak self] _ in self?.look() }
        }
    }

    private func look() {
        refusal { status in
            let ended = self.state.withLock { state -> [GRPCServerStream] in
                state.streams.removeAll { $0.isOver }
                if state.streams.isEmpty {
                    state.timer?.cancel()
                    state.timer = nil
                }
                state.misses = status == nil ? 0 : state.misses + 1
                guard state.misses >= Self.missesMax else { return [] }
                defer { state.streams = [] }
                return state.streams
            }
            guard let status else { return }
            for stream in ended { stream.abort(status) }
        }
    }
}
