package import Keyspace

extension Result where Success == Keyspace, Failure == StoreError {
    /// The keyspace, unless whoever asks has lost the right by the state that is read.
    func permitted(
        _ permit: AuthPermit?, _ refusal: (AuthPermit) -> StoreError?
    ) -> Result<Keyspace, StoreError> {
        flatMap { keyspace in
            guard let permit else { return self }
            return refusal(keyspace.auth.renewed(permit)).map { .failure($0) } ?? self
        }
    }
}

/// As in etcd a lease is as much somebody's as the keys are that hang on it.
extension Keyspace {
    /// A lease; the names of its keys take the right to read them all.
    func lease(
        _ id: Int64, keys: Bool, for permit: AuthPermit?
    ) -> Result<LeaseStatus, StoreError> {
        let found = lease(id, keys: keys)
        guard let permit, case .success(let lease) = found else { return found }
        let now = auth.renewed(permit)
        if let error = now.refusalOfAnybody ?? now.refusal(readingAll: lease.keys) {
            return .failure(error)
        }
        return found
    }

    /// All leases; takes the right to read all keys of each.
    package func leases(for permit: AuthPermit?) -> Result<[LeaseStatus], StoreError> {
        guard let permit else { return leases() }
        let now = auth.renewed(permit)
        if let error = now.refusalOfAnybody { return .failure(error) }
        if now.refusal(reading: .all) == nil { return leases() }
        return leases { now.refusal(readingAll: $0) }
    }

    /// Why somebody may not renew a lease, which takes the right to write all its keys. One that is
    /// gone has none.
    package func refusal(renewing id: Int64, for permit: AuthPermit) -> StoreError? {
        let found = lease(id, keys: true)
        let now = auth.renewed(permit)
        if let error = now.refusalOfAnybody { return error }
        switch found {
        case .success(let lease): return now.refusal(writingAll: lease.keys)
        case .failure(let error): return error == .leaseNotFound ? nil : error
        }
    }
}
