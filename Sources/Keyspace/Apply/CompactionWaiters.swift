import Basics

/// Who waits until what is compacted is out of the file: etcd's `physical`.
final class CompactionWaiters: Sendable {
    typealias Completion = @Sendable (Result<Void, StoreError>) -> Void

    private struct Waiter {
        var revision: Int64
        var done: Completion
    }

    private struct State {
        var waiters: [Waiter] = []
        /// Up to where the file is clear.
        var reached: Int64
        var isStopped = false
    }

    private let state: Locked<State>

    init(reached: Int64) {
        state = Locked(State(reached: reached))
    }

    func wait(for revision: Int64, _ done: @escaping Completion) {
        let answer: Result<Void, StoreError>? = state.withLock { state in
            if state.isStopped { return .failure(.stopped) }
            if state.reached >= revision { return .success(()) }
            state.waiters.append(Waiter(revision: revision, done: done))
            return nil
        }
        if let answer { done(answer) }
    }

    func reached(_ revision: Int64) {
        let ready = state.withLock { state in
            state.reached = revision
            if state.waiters.isEmpty { return [] as [Waiter] }
            let ready = state.waiters.filter { $0.revision <= revision }
            state.waiters.removeAll { $0.revision <= revision }
            return ready
        }
        for waiter in ready { waiter.done(.success(())) }
    }

    func stop() {
        let left = state.withLock { state in
            state.isStopped = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in left { waiter.done(.failure(.stopped)) }
    }
}
