import Basics
import Keyspace
import Objects
import Store

/// Events live for an hour: each hangs on a lease that the events of the same minute share.
final class EventLeases: Sendable {
    private static let lifetimeSeconds: Int64 = 3600
    private static let sharedSeconds: UInt64 = 60

    private struct Lease {
        var id: Int64 = 0
        var madeAt = MonotonicTime(nanoseconds: 0)
    }
    private let newest = Locked(Lease())

    func current(_ service: ResourceService) async throws(APIError) -> Int64 {
        let now = MonotonicTime.now()
        let lease = newest.withLock { $0 }
        if lease.id != 0, now.milliseconds(since: lease.madeAt) < Self.sharedSeconds * 1000 {
            return lease.id
        }
        do {
            let granted = try await service.store.leaseGrant(
                id: 0, ttlSeconds: Self.lifetimeSeconds + Int64(Self.sharedSeconds))
            newest.withLock { $0 = Lease(id: granted.id, madeAt: now) }
            return granted.id
        } catch {
            throw APIError(error)
        }
    }
}
