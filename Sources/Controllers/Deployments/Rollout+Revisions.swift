import Documents
import Informers
import Objects

extension Rollout {
    /// Brings revision and annotations of the new set up to date, if there is one.
    mutating func syncRevision() {
        guard let newIndex else { return }
        let newest = oldIndices.map { sets[$0].revision }.max() ?? 0
        copyAnnotations(to: newIndex)
        setRevision(newest + 1, at: newIndex)
        let seconds = deployment.spec.count("minReadySeconds")
        if seconds != sets[newIndex].object.spec.count("minReadySeconds") {
            sets[newIndex].object.json.set(
                seconds == 0 ? nil : .integer(seconds), at: "spec", "minReadySeconds")
        }
        changed.setAnnotation(
            DeploymentKeys.revision, sets[newIndex].object.annotation(DeploymentKeys.revision))
        if progressDeadline != nil, changed.status.condition("Progressing") == nil {
            setProgressing(
                "True", DeploymentKeys.found,
                "Found new replica set \"\(sets[newIndex].name)\"")
        }
    }

    /// Finds or makes the set of the Deployment's template; false when that failed.
    mutating func ensureNewSet(_ context: inout ReconcileContext) -> Bool {
        if newIndex != nil {
            syncRevision()
            return true
        }
        let template = deployment.spec["template"] ?? [:]
        let collisions = deployment.status["collisionCount"]?.intValue
        let hash = TemplateHash.name(TemplateHash.normalized(template), collisions: collisions)
        // Names end at 253 bytes.
        let name = String(deployment.name.prefix(252 - hash.count)) + "-" + hash
        if context.view.object(.replicaSet, deployment.namespace, name) != nil {
            // Another template or another owner has the name: hash again, differently.
            changed.json.set(.integer((collisions ?? 0) + 1), at: "status", "collisionCount")
            return false
        }
        do throws(APIError) {
            var set = ReplicaSetState(
                new: try context.make(
                    .replicaSet, newSet(name: name, hash: hash, template: template),
                    namespace: deployment.namespace))
            set.setReplicaAnnotations(desired: limits.replicas, max: limits.maxTotal)
            newIndex = sets.count
            sets.append(set)
        } catch {
            let text = "Failed to create new replica set \"\(name)\": \(error.message)"
            if progressDeadline != nil {
                setProgressing("False", "FailedCreate", text)
            }
            plan.record(
                EventRecord(.warning, "ReplicaSetCreateError", text, about: deployment))
            plan.fail(text)
            return false
        }
        guard let newIndex else { return false }
        let newest = oldIndices.map { sets[$0].revision }.max() ?? 0
        copyAnnotations(to: newIndex)
        setRevision(newest + 1, at: newIndex)
        let size = newSetSize(newIndex)
        sets[newIndex].replicas = size
        if size > 0 { recordScaling(name, from: 0, to: size) }
        changed.setAnnotation(DeploymentKeys.revision, String(newest + 1))
        if progressDeadline != nil {
            setProgressing(
                "True", DeploymentKeys.created, "Created new replica set \"\(name)\"")
        }
        return true
    }

    private func newSet(name: String, hash: String, template: JSON) -> JSON {
        var template = template
        template.set(.string(hash), at: "metadata", "labels", DeploymentKeys.hashLabel)
        var selector = deployment.spec["selector"] ?? [:]
        selector.set(.string(hash), at: "matchLabels", DeploymentKeys.hashLabel)
        var spec: JSON = ["replicas": 0]
        if let seconds = deployment.spec["minReadySeconds"] { spec["minReadySeconds"] = seconds }
        spec["selector"] = selector
        spec["template"] = template
        return [
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": [
                "name": .string(name), "namespace": .string(deployment.namespace),
                "labels": template.path("metadata", "labels") ?? [:],
                "ownerReferences": .array([OwnerReference(controller: deployment).json]),
            ],
            "spec": spec,
        ]
    }

    private mutating func copyAnnotations(to index: Int) {
        for member in deployment.metadata["annotations"]?.objectValue ?? JSONObject()
        where !DeploymentKeys.notCopied.contains(member.key) {
            guard let value = member.value.stringValue,
                sets[index].object.annotation(member.key) != value
            else { continue }
            sets[index].object.setAnnotation(member.key, value)
        }
    }

    /// Raises the revision; an old number, from before a rollback, goes into the history.
    private mutating func setRevision(_ revision: Int64, at index: Int) {
        let text = sets[index].object.annotation(DeploymentKeys.revision)
        if let text, !text.isEmpty, Int64(text) == nil { return }
        let old = sets[index].revision
        guard old < revision else { return }
        sets[index].object.setAnnotation(DeploymentKeys.revision, String(revision))
        guard let text else { return }
        var history =
            (sets[index].object.annotation(DeploymentKeys.revisionHistory) ?? "")
            .split(separator: ",").map(String.init)
        history.append(text)
        while history.joined(separator: ",").utf8.count > DeploymentKeys.historyBytesMax,
            history.count > 1
        {
            history.removeFirst()
        }
        sets[index].object.setAnnotation(
            DeploymentKeys.revisionHistory, history.joined(separator: ","))
    }

    /// Deletes old sets beyond the history limit, lowest revision first.
    mutating func cleanUp() {
        guard let limit = deployment.spec["revisionHistoryLimit"]?.intValue,
            limit != Int64(Int32.max)
        else { return }
        let candidates = oldIndices.filter { !sets[$0].object.isBeingDeleted }
        let surplus = candidates.count - Int(limit)
        guard surplus > 0 else { return }
        let byRevision = candidates.sorted { left, right in
            sets[left].revision != sets[right].revision
                ? sets[left].revision < sets[right].revision
                : ReplicaSetState.isOlder(sets[left], sets[right])
        }
        for index in byRevision.prefix(surplus) {
            let set = sets[index]
            guard set.actual == 0, set.replicas == 0,
                set.object.generation <= set.object.status.count("observedGeneration")
            else { continue }
            sets[index].isRemoved = true
        }
    }
}
