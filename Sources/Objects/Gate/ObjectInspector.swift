import Documents
package import Basics
package import Keyspace
package import Store

/// Tells the store's gate what it must know of stored objects.
package struct ObjectInspector: GateInspector {
    package init() {}

    package func boundPod(_ keyValue: KeyValue, node: String) -> GatedPod? {
        // Nearly all pods are other nodes': look for the text before parsing.
        let text = Bytes("\"nodeName\":\"\(node)\"".utf8)
        guard contains(keyValue.value, text), let pod = try? Object.decode(keyValue),
            pod.kind == .pod, pod.spec["nodeName"]?.stringValue == node
        else { return nil }
        var gated = GatedPod(
            isTerminating: pod.deletionTimestamp != nil, configMaps: [], secrets: [])
        collectNames(pod.spec, &gated)
        return gated
    }

    package func changesOnlyStatus(from old: Bytes, to new: Bytes) -> Bool {
        guard var before = try? StoredValue(old).decode(),
            var after = try? StoredValue(new).decode()
        else { return false }
        before["status"] = nil
        after["status"] = nil
        return before == after
    }

    package func eventHost(_ value: Bytes) -> String? {
        guard let json = try? StoredValue(value).decode(), json["kind"] == "Event" else {
            return nil
        }
        return json.path("source", "host")?.stringValue
            ?? json["reportingInstance"]?.stringValue
    }

    private func collectNames(_ spec: JSON, _ pod: inout GatedPod) {
        for list in ["initContainers", "containers", "ephemeralContainers"] {
            for container in spec[list]?.elements ?? [] {
                for source in container["envFrom"]?.elements ?? [] {
                    add(source.path("configMapRef", "name"), to: &pod.configMaps)
                    add(source.path("secretRef", "name"), to: &pod.secrets)
                }
                for variable in container["env"]?.elements ?? [] {
                    let from = variable["valueFrom"]
                    add(from?.path("configMapKeyRef", "name"), to: &pod.configMaps)
                    add(from?.path("secretKeyRef", "name"), to: &pod.secrets)
                }
            }
        }
        for volume in spec["volumes"]?.elements ?? [] {
            add(volume.path("configMap", "name"), to: &pod.configMaps)
            add(volume.path("secret", "secretName"), to: &pod.secrets)
            for source in volume.path("projected", "sources")?.elements ?? [] {
                add(source.path("configMap", "name"), to: &pod.configMaps)
                add(source.path("secret", "name"), to: &pod.secrets)
            }
        }
        for reference in spec["imagePullSecrets"]?.elements ?? [] {
            add(reference["name"], to: &pod.secrets)
        }
    }

    private func add(_ name: JSON?, to names: inout [String]) {
        guard let name = name?.stringValue, !name.isEmpty, !names.contains(name) else { return }
        names.append(name)
    }
}

/// Whether `text` occurs in `bytes`.
private func contains(_ bytes: Bytes, _ text: Bytes) -> Bool {
    guard let first = text.first, bytes.count >= text.count else { return false }
    var start = 0
    let last = bytes.count - text.count
    while start <= last {
        guard let found = bytes[start...last].firstIndex(of: first) else { return false }
        if bytes[found..<found + text.count].elementsEqual(text) { return true }
        start = found + 1
    }
    return false
}
