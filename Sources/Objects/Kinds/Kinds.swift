/// The kinds that the API serves.
package enum Kinds {
    package static let all: [ResourceKind] = [
        .namespace, .node, .pod, .configMap, .secret, .service, .serviceAccount, .event, .lease,
        .deployment, .replicaSet,
    ]

    package static func find(group: String, version: String, plural: String) -> ResourceKind? {
        all.first { $0.plural == plural && $0.group == group && $0.version == version }
    }

    package static func find(apiVersion: String, kind: String) -> ResourceKind? {
        all.first { $0.kind == kind && $0.apiVersion == apiVersion }
    }
}

extension ResourceKind {
    package static let namespace = ResourceKind(
        group: "", version: "v1", kind: "Namespace", plural: "namespaces", shortNames: ["ns"],
        isNamespaced: false, verbs: allVerbs.filter { $0 != "deletecollection" },
        subresources: [.finalize, .status])
    package static let node = ResourceKind(
        group: "", version: "v1", kind: "Node", plural: "nodes", shortNames: ["no"],
        isNamespaced: false, subresources: [.status], storagePath: "minions")
    package static let pod = ResourceKind(
        group: "", version: "v1", kind: "Pod", plural: "pods", shortNames: ["po"],
        categories: ["all"], subresources: [.binding, .log, .status])
    package static let configMap = ResourceKind(
        group: "", version: "v1", kind: "ConfigMap", plural: "configmaps", shortNames: ["cm"])
    package static let secret = ResourceKind(
        group: "", version: "v1", kind: "Secret", plural: "secrets")
    package static let service = ResourceKind(
        group: "", version: "v1", kind: "Service", plural: "services", shortNames: ["svc"],
        categories: ["all"], subresources: [.status], storagePath: "services/specs")
    package static let serviceAccount = ResourceKind(
        group: "", version: "v1", kind: "ServiceAccount", plural: "serviceaccounts",
        shortNames: ["sa"])
    package static let event = ResourceKind(
        group: "", version: "v1", kind: "Event", plural: "events", shortNames: ["ev"])
    package static let lease = ResourceKind(
        group: "coordination.k8s.io", version: "v1", kind: "Lease", plural: "leases")
    package static let deployment = ResourceKind(
        group: "apps", version: "v1", kind: "Deployment", plural: "deployments",
        shortNames: ["deploy"], categories: ["all"], subresources: [.scale, .status])
    package static let replicaSet = ResourceKind(
        group: "apps", version: "v1", kind: "ReplicaSet", plural: "replicasets",
        shortNames: ["rs"], categories: ["all"], subresources: [.scale, .status])
}
