import Basics
import Keyspace
import Store
import StoreJudgement

extension LoadClient {
    private static let leasesMax = 4
    /// The longer ones are checkpointed.
    private static let secondsMax: Int64 = 14

    /// Grants one; or leaves one, so that it ends by itself; or revokes it.
    mutating func changeLeases(_ store: RemoteStore) async {
        guard leases.count >= Self.leasesMax else { return await grant(store) }
        let id = leases.remove(at: random.below(leases.count)).id
        guard random.below(3) == 0 else { return }
        await ask("revokes \(id)", .revoke(id)) {
            () async throws(StoreError) -> LoadOperation.Answer in
            .revision(try await store.leaseRevoke(id: id))
        }
    }

    private mutating func grant(_ store: RemoteStore) async {
        count += 1
        let id = Int64(number + 1) << 32 | Int64(count)
        let seconds = 2 + Int64(random.below(Int(Self.secondsMax) - 1))
        let isKept = random.below(4) > 0
        let answer = await ask("grants \(id) for \(seconds) s", .grant(id, seconds: seconds)) {
            () async throws(StoreError) -> LoadOperation.Answer in
            .lease(try await store.leaseGrant(id: id, ttlSeconds: seconds))
        }
        if case .lease = answer { leases.append(Lease(id: id, isKept: isKept)) }
    }

    mutating func askTimeToLive(_ store: RemoteStore) async {
        guard !leases.isEmpty else { return }
        let id = leases[random.below(leases.count)].id
        await ask("asks for the time of \(id)", .timeToLive(id)) {
            () async throws(StoreError) -> LoadOperation.Answer in
            .lease(try await store.leaseTimeToLive(id: id, keys: false))
        }
    }

    /// Waits for no answer: keep-alives have no time limit of their own.
    mutating func keepAlive(_ store: RemoteStore) {
        guard !leases.isEmpty else { return }
        let lease = leases[random.below(leases.count)]
        guard lease.isKept else { return }
        let (journal, id) = (journal, lease.id)
        let name = "client \(number) keeps \(id) alive"
        let called = journal.moment()
        store.leaseKeepAlive(id: id) { result in
            let answer: LoadOperation.Answer
            switch result {
            case .success(let status): answer = .lease(status)
            case .failure(let error):
                guard let refusal = Self.refusal(error) else { return }
                answer = refusal
            }
            journal.add(
                LoadOperation(
                    name, .keepAlive(id), answer, called: called, returned: journal.moment()))
        }
    }
}
