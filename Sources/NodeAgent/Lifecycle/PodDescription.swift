package import Documents
package import Objects

/// What the lifecycle needs to know of a pod, read once from its object.
package struct PodDescription: Sendable, Hashable {
    package enum RestartPolicy: String, Sendable, Hashable {
        case always = "Always"
        case onFailure = "OnFailure"
        case never = "Never"
    }

    package var uid: String
    package var namespace: String
    package var name: String
    package var generation: Int64
    package var restartPolicy: RestartPolicy
    package var containers: [ContainerDescription]
    package var initContainers: [ContainerDescription]
    package var usesHostNetwork: Bool
    package var isBeingDeleted: Bool
    /// From the deletion; before one, from the spec.
    package var graceSeconds: Int64
    package var activeDeadlineSeconds: Int64?
    /// Condition types that must be True, besides the containers, for the pod to be ready.
    package var readinessGates: [String]
    /// Labels and annotations, which volumes may show.
    package var metadata: JSON
    /// Whether volumes are made of API data, which may change while the pod runs.
    package var hasAPIVolumes: Bool

    package init(_ pod: Object) {
        let spec = pod.spec
        uid = pod.uid
        namespace = pod.namespace
        name = pod.name
        generation = pod.generation
        restartPolicy =
            spec["restartPolicy"]?.stringValue.flatMap(RestartPolicy.init) ?? .always
        containers = (spec["containers"]?.elements ?? []).map { ContainerDescription($0) }
        initContainers = (spec["initContainers"]?.elements ?? []).map {
            var container = ContainerDescription($0)
            container.isInit = true
            return container
        }
        usesHostNetwork = spec["hostNetwork"]?.boolValue ?? false
        isBeingDeleted = pod.isBeingDeleted
        graceSeconds =
            pod.deletionGracePeriodSeconds ?? spec["terminationGracePeriodSeconds"]?.intValue ?? 30
        activeDeadlineSeconds = spec["activeDeadlineSeconds"]?.intValue
        readinessGates = (spec["readinessGates"]?.elements ?? []).compactMap {
            $0["conditionType"]?.stringValue
        }
        metadata = [
            "labels": pod.json.path("metadata", "labels") ?? [:],
            "annotations": pod.json.path("metadata", "annotations") ?? [:],
        ]
        hasAPIVolumes = (spec["volumes"]?.elements ?? []).contains(where: VolumeFiles.isAPIData)
    }

    var all: [ContainerDescription] { initContainers + containers }
}

package struct ContainerDescription: Sendable, Hashable {
    package var name: String
    package var image: String
    package var isInit = false
    /// An init container with `restartPolicy: Always`: it runs beside the others.
    package var isSidecar: Bool
    package var startupProbe: Probe?
    package var livenessProbe: Probe?
    package var readinessProbe: Probe?
    package var preStop: JSON?
    /// The container of the spec as it stands.
    package var json: JSON

    package init(_ json: JSON) {
        self.json = json
        name = json["name"]?.stringValue ?? ""
        image = json["image"]?.stringValue ?? ""
        isSidecar = json["restartPolicy"]?.stringValue == "Always"
        startupProbe = json["startupProbe"].flatMap(Probe.init)
        livenessProbe = json["livenessProbe"].flatMap(Probe.init)
        readinessProbe = json["readinessProbe"].flatMap(Probe.init)
        preStop = json.path("lifecycle", "preStop")
    }
}
