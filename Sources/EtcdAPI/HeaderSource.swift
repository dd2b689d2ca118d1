import Basics
import EtcdMessages
import Store

/// Makes the headers of answers.
///
/// Cluster and member never change and the term seldom does, so the status is asked for again at
/// most every half second, and not waited for after the first time.
final class HeaderSource: Sendable {
    private struct State {
        var status: StoreStatus?
        var refreshed = MonotonicTime(nanoseconds: 0)
        var isRefreshing = false
    }

    private static let ageMaxMilliseconds: UInt64 = 500
    private let store: any Store
    private let state = Locked(State())

    init(_ store: any Store) {
        self.store = store
        refresh()
    }

    /// The header of an answer that knows its revision.
    func header(revision: Int64) -> ResponseHeader {
        let (header, isOld) = state.withLock { state in
            var header = ResponseHeader(revision: revision)
            header.clusterID = state.status?.clusterID ?? 0
            header.memberID = state.status?.memberID ?? 0
            header.term = state.status?.term ?? 0
            let age = MonotonicTime.now().milliseconds(since: state.refreshed)
            let isOld = !state.isRefreshing && age > Self.ageMaxMilliseconds
            if isOld { state.isRefreshing = true }
            return (header, isOld)
        }
        if isOld { refresh() }
        return header
    }

    /// The header of an answer that is about no revision in particular.
    func header() -> ResponseHeader {
        header(revision: store.newestRevision ?? state.withLock { $0.status?.revision ?? 0 })
    }

    /// Members are none of the keyspace's business: as in etcd, there is no revision.
    static func memberHeader(_ status: StoreStatus) -> ResponseHeader {
        var header = header(status)
        header.revision = 0
        return header
    }

    static func header(_ status: StoreStatus) -> ResponseHeader {
        var header = ResponseHeader(revision: status.revision)
        header.clusterID = status.clusterID
        header.memberID = status.memberID
        header.term = status.term
        return header
    }

    private func refresh() {
        store.status { [state] result in
            state.withLock {
                if let status = try? result.get() { $0.status = status }
                $0.refreshed = .now()
                $0.isRefreshing = false
            }
        }
    }
}
