import Documents
import Basics
import Keyspace
import Objects

/// The objects that every cluster has from the start.
struct Bootstrap: Sendable {
    let service: ResourceService
    let apiPort: Int

    private static let namespaces = ["default", "kube-system", "kube-public", "kube-node-lease"]

    /// Makes what is missing; another server may be doing the same.
    func run() async throws(APIError) {
        for name in Self.namespaces {
            let labels: JSON = ["kubernetes.io/metadata.name": .string(name)]
            try await ensure(
                .namespace, namespace: "", name: name,
                ["metadata": ["name": .string(name), "labels": labels]])
        }
        try await ensure(
            .service, namespace: "default", name: "kubernetes",
            [
                "metadata": [
                    "name": "kubernetes",
                    "labels": ["component": "apiserver", "provider": "kubernetes"],
                ],
                "spec": [
                    "type": "ClusterIP", "clusterIP": .string(service.allocator.apiAddress),
                    "clusterIPs": [.string(service.allocator.apiAddress)],
                    "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack",
                    "ports": [
                        [
                            "name": "https", "protocol": "TCP", "port": 443,
                            "targetPort": .integer(Int64(apiPort)),
                        ]
                    ],
                ],
            ])
    }

    private func ensure(
        _ kind: ResourceKind, namespace: String, name: String, _ json: JSON
    ) async throws(APIError) {
        if try await service.read(kind, namespace: namespace, name: name) != nil { return }
        do {
            _ = try await service.create(kind, json, namespace: namespace, isDryRun: false)
        } catch {
            if error.reason != "AlreadyExists" { throw error }
        }
    }
}
