import Documents
import Basics
import Objects

/// Puts together what the runtime is told of a container. Pure but for the resolution of paths.
struct ContainerAssembly {
    let facts: PodFacts
    let sources: ConfigSources
    let volumes: VolumeDirectory
    let isIsolated: Bool

    /// Where volumes stand for containers without a mount namespace.
    var volumesVariable: String { isIsolated ? "/run/martlet/volumes" : volumes.root }

    func configuration(
        _ container: JSON, attempt: Int
    ) throws(RuntimeError) -> ContainerConfiguration {
        let pod = facts.pod
        var environment = try ContainerEnvironment(
            container: container, facts: facts, sources: sources)
        if environment["MARTLET_VOLUMES"] == nil {
            environment.set("MARTLET_VOLUMES", volumesVariable)
        }
        if environment["POD_IP"] == nil { environment.set("POD_IP", facts.podIP) }
        func expanded(_ member: String) -> [String] {
            (container[member]?.elements ?? []).compactMap(\.stringValue).map {
                Expansion.expand($0) { environment[$0] }
            }
        }
        var result = ContainerConfiguration(
            name: container["name"]?.stringValue ?? "", attempt: attempt,
            image: container["image"]?.stringValue ?? "", command: expanded("command"),
            arguments: expanded("args"))
        // Without an image there is no entry point that arguments could go to.
        if result.command.isEmpty, !result.arguments.isEmpty { result.arguments = [] }
        result.environment = environment.variables
        result.workingDirectory = container["workingDir"]?.stringValue ?? ""
        result.hostname = pod.spec["hostname"]?.stringValue ?? pod.name
        result.mounts = try mounts(container, environment)
        try setIdentity(container, &result)
        return result
    }

    private func mounts(
        _ container: JSON, _ environment: ContainerEnvironment
    ) throws(RuntimeError) -> [Mount] {
        var mounts: [Mount] = []
        let all = facts.pod.spec["volumes"]?.elements ?? []
        for mount in container["volumeMounts"]?.elements ?? [] {
            let name = mount["name"]?.stringValue ?? ""
            guard let volume = all.first(where: { $0["name"]?.stringValue == name }) else {
                throw RuntimeError("CreateContainerConfigError", "volume \"\(name)\" not found")
            }
            var source = volumes.path(volume)
            let target = Expansion.expand(mount["mountPath"]?.stringValue ?? "") {
                environment[$0]
            }
            var part = mount["subPath"]?.stringValue ?? ""
            if let expression = mount["subPathExpr"]?.stringValue {
                part = Expansion.expand(expression) { environment[$0] }
            }
            if !part.isEmpty { source = try subPath(part, in: source) }
            guard target.hasPrefix("/"), !target.split(separator: "/").contains("..") else {
                throw RuntimeError(
                    "CreateContainerError", "mountPath \"\(target)\" must be absolute, without '..'"
                )
            }
            guard isIsolated || VolumeDirectory.isBelow(target, volumes.root) else {
                throw RuntimeError(
                    "CreateContainerError",
                    "volume \"\(name)\" cannot be mounted at \(target): without root the process "
                        + "runtime offers volumes only under $MARTLET_VOLUMES; set mountPath to "
                        + "$(MARTLET_VOLUMES)/\(name)")
            }
            let isReadOnly =
                mount["readOnly"]?.boolValue ?? false || VolumeFiles.isAPIData(volume)
            mounts.append(
                Mount(hostPath: source, containerPath: target, isReadOnly: isReadOnly))
        }
        return mounts
    }

    private func subPath(_ part: String, in source: String) throws(RuntimeError) -> String {
        let path = source + "/" + (try VolumeFiles.checked(part))
        if !Files.exists(path) {
            do {
                try Files.makeDirectories(path, mode: 0o755)
            } catch {
                throw RuntimeError("CreateContainerConfigError", error.description)
            }
        }
        let root = Files.resolved(source) ?? source
        guard let real = Files.resolved(path), VolumeDirectory.isBelow(real, root) else {
            throw RuntimeError(
                "CreateContainerConfigError", "subPath \"\(part)\" leaves its volume")
        }
        return real
    }

    private func setIdentity(
        _ container: JSON, _ result: inout ContainerConfiguration
    ) throws(RuntimeError) {
        let own = container["securityContext"]
        let pod = facts.pod.spec["securityContext"]
        func setting(_ name: String) -> JSON? { own?[name] ?? pod?[name] }
        if own?["privileged"]?.boolValue == true {
            throw RuntimeError(
                "CreateContainerError",
                "privileged containers are refused: they would see the cluster's keys")
        }
        result.user = setting("runAsUser")?.intValue.map { UInt32(truncatingIfNeeded: $0) }
        result.group = setting("runAsGroup")?.intValue.map { UInt32(truncatingIfNeeded: $0) }
        let isRoot = result.user.map { $0 == 0 } ?? isIsolated
        if setting("runAsNonRoot")?.boolValue == true, isRoot {
            throw RuntimeError(
                "CreateContainerConfigError",
                result.user == nil
                    ? "container has runAsNonRoot and no runAsUser, and would run as root"
                    : "container's runAsUser breaks non-root policy")
        }
        var groups = (pod?["supplementalGroups"]?.elements ?? []).compactMap(\.intValue)
        if let group = pod?["fsGroup"]?.intValue { groups.append(group) }
        result.supplementalGroups = groups.map { UInt32(truncatingIfNeeded: $0) }
        let capabilities = own?["capabilities"]
        result.addedCapabilities = (capabilities?["add"]?.elements ?? []).compactMap(\.stringValue)
        result.droppedCapabilities = (capabilities?["drop"]?.elements ?? [])
            .compactMap(\.stringValue)
        result.isRootReadOnly = own?["readOnlyRootFilesystem"]?.boolValue ?? false
    }
}
