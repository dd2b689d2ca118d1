import EtcdMessages
package import Keyspace

/// The part of `Maintenance.Status` that one asks a stranger.
extension RemoteStore {
    package func version() async throws(StoreError) -> ServerVersion {
        try await answer { self.version($0) }
    }

    private func version(_ done: @escaping Completion<ServerVersion>) {
        call("/etcdserverpb.Maintenance/Status", []) {
            (result: Result<StatusResponse, StoreError>) in
            done(
                result.flatMap { response in
                    guard let version = ServerVersion(response.version) else {
                        return .failure(
                            StoreError(
                                .invalid,
                                "no etcd of a known version, it says"
                                    + " \"\(response.version)\""))
                    }
                    return .success(version)
                })
        }
    }
}

extension ServerVersion: CustomStringConvertible {
    package var description: String { "\(major).\(minor).\(patch)" }
}
