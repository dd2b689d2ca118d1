import Keyspace

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

extension Keyspace {
    /// A lease; as in etcd, the names of its keys take the right to read them all.
    func lease(
        _ id: Int64, keys: Bool, for permit: AuthPermit?
    ) -> Result<LeaseStatus, StoreError> {
        let found = lease(id, keys: keys)
        guard let permit, case .success(let lease) = found else { return found }
        let now = auth.renewed(permit)
        if let error = now.refusalOfAnybody { return .failure(error) }
        for key in lease.keys {
            if let error = now.refusal(reading: .key(key)) { return .failure(error) }
        }
        return found
    }
}
