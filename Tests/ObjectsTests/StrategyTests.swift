import Documents
import Basics
import Objects
import Testing

@Suite struct StrategyTests {
    private let now = WallTime(seconds: 1_600_000_000)

    private func create(
        _ kind: ResourceKind, _ text: String, namespace: String = "default"
    ) throws(APIError) -> JSON {
        let decoded = try RequestBody.decode(
            contentType: "application/json", Bytes(text.utf8), expected: kind,
            fieldValidation: .strict)
        return try Strategy.prepareCreate(
            kind, decoded.json, namespace: kind.isNamespaced ? namespace : "", now: now,
            uid: "uid-1", nameSuffix: "bcdfg")
    }

    private func faults(_ kind: ResourceKind, _ text: String) -> String {
        let error = #expect(throws: APIError.self) { try create(kind, text) }
        #expect(error?.code == 422)
        return error?.message ?? ""
    }

    private let deployment = """
        {"metadata":{"name":"web"},"spec":{"selector":{"matchLabels":{"app":"web"}},
        "template":{"metadata":{"labels":{"app":"web"}},
        "spec":{"containers":[{"name":"c","image":"web","ports":[{"containerPort":8080}],
        "readinessProbe":{"httpGet":{"port":8080}}}]}}}}
        """

    @Test func deploymentDefaults() throws {
        let json = try create(.deployment, deployment)
        let spec = try #require(json["spec"])
        #expect(spec["replicas"] == 1 && spec["revisionHistoryLimit"] == 10)
        #expect(spec["progressDeadlineSeconds"] == 600)
        #expect(
            spec["strategy"] == [
                "type": "RollingUpdate",
                "rollingUpdate": ["maxUnavailable": "25%", "maxSurge": "25%"],
            ])
        let pod = try #require(spec.path("template", "spec"))
        #expect(pod["restartPolicy"] == "Always" && pod["dnsPolicy"] == "ClusterFirst")
        #expect(pod["schedulerName"] == "default-scheduler" && pod["securityContext"] == [:])
        #expect(pod["enableServiceLinks"] == nil && pod["tolerations"] == nil)
        let container = try #require(pod["containers"]?[0])
        #expect(container["imagePullPolicy"] == "Always")
        #expect(container["ports"]?[0]?["protocol"] == "TCP")
        #expect(
            container["readinessProbe"] == [
                "httpGet": ["port": 8080, "path": "/", "scheme": "HTTP"], "timeoutSeconds": 1,
                "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3,
            ])
        #expect(json.path("metadata", "generation") == 1)
        #expect(json.path("metadata", "creationTimestamp") == "2020-09-13T12:26:40Z")
        #expect(json.objectValue?.keys.prefix(2) == ["kind", "apiVersion"])
    }

    @Test func podDefaults() throws {
        let json = try create(
            .pod,
            """
            {"metadata":{"generateName":"web-"},"spec":{"containers":[{"name":"c",
            "image":"a/b:1","resources":{"limits":{"cpu":"1","memory":"1Gi"}}}],
            "volumes":[{"name":"e"},{"name":"m","configMap":{"name":"x"}}]},
            "status":{"phase":"Running"}}
            """)
        #expect(json.path("metadata", "name") == "web-bcdfg")
        #expect(json["status"] == ["phase": "Pending", "qosClass": "Guaranteed"])
        let spec = try #require(json["spec"])
        #expect(spec["serviceAccountName"] == "default" && spec["enableServiceLinks"] == true)
        #expect(spec["tolerations"]?.elements.count == 2)
        #expect(spec["terminationGracePeriodSeconds"] == 30)
        #expect(spec["containers"]?[0]?["imagePullPolicy"] == "IfNotPresent")
        #expect(
            spec["containers"]?[0]?.path("resources", "requests") == ["cpu": "1", "memory": "1Gi"])
        #expect(spec["volumes"]?[0] == ["name": "e", "emptyDir": [:]])
        #expect(spec["volumes"]?[1]?.path("configMap", "defaultMode") == 420)
    }

    @Test func otherDefaults() throws {
        let service = try create(
            .service, #"{"metadata":{"name":"s"},"spec":{"ports":[{"port":80}]}}"#)
        #expect(service.path("spec", "type") == "ClusterIP")
        #expect(
            service.path("spec", "ports")?[0]
                == ["port": 80, "protocol": "TCP", "targetPort": 80])
        let secret = try create(
            .secret, #"{"metadata":{"name":"s"},"stringData":{"a":"b"},"data":{"c":"Zm9v"}}"#)
        #expect(secret["data"] == ["c": "Zm9v", "a": "Yg=="])
        #expect(secret["type"] == "Opaque" && secret["stringData"] == nil)
        let namespace = try create(.namespace, #"{"metadata":{"name":"n"}}"#)
        #expect(namespace["spec"] == ["finalizers": ["kubernetes"]])
        #expect(namespace["status"] == ["phase": "Active"])
        #expect(
            namespace.path("metadata", "labels", "kubernetes.io/metadata.name") == "n")
    }

    @Test func validationTexts() {
        #expect(
            faults(.deployment, #"{"metadata":{"name":"web"},"spec":{}}"#).hasPrefix(
                "Deployment.apps \"web\" is invalid: [spec.selector: Required value, "
                    + "spec.template.metadata.labels: Invalid value: {}: `selector` does not match "
                    + "template `labels`, spec.template.spec.containers: Required value"))
        #expect(
            faults(
                .pod,
                #"{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c"}],"#
                    + #""restartPolicy":"Sometimes"}}"#)
                == "Pod \"p\" is invalid: [spec.restartPolicy: Unsupported value: \"Sometimes\": "
                + "supported values: \"Always\", \"Never\", \"OnFailure\", "
                + "spec.containers[0].image: Required value]")
        #expect(
            faults(.configMap, #"{"metadata":{"name":"Bad_Name"}}"#)
                == "ConfigMap \"Bad_Name\" is invalid: metadata.name: Invalid value: \"Bad_Name\": "
                + "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric "
                + "characters, '-' or '.', and must start and end with an alphanumeric character "
                + "(e.g. 'example.com', regex used for validation is "
                + "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')")
        #expect(
            faults(.pod, #"{"spec":{"containers":[{"name":"c","image":"i"}]}}"#)
                == "Pod \"\" is invalid: metadata.name: Required value: name or generateName is "
                + "required")
        #expect(
            faults(
                .pod,
                #"{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i","#
                    + #""volumeMounts":[{"name":"v","mountPath":"/v"}],"#
                    + #""resources":{"requests":{"cpu":"2"},"limits":{"cpu":"1"}}}]}}"#)
                == "Pod \"p\" is invalid: [spec.containers[0].volumeMounts[0].name: Not found: "
                + "\"v\", spec.containers[0].resources.requests: Invalid value: \"2\": must be "
                + "less than or equal to cpu limit of 1]")
    }

    @Test func updates() throws {
        let old = Object(kind: .deployment, json: try create(.deployment, deployment), revision: 5)
        var new = old.json
        new.set(3, at: "spec", "replicas")
        new.set(["replicas": 9], at: "status")
        var json = try Strategy.prepareUpdate(.deployment, old: old, new: new, now: now)
        #expect(json.path("metadata", "generation") == 2)
        #expect(json["status"] == old.json["status"])
        json = try Strategy.prepareUpdate(
            .deployment, old: old, new: new, subresource: .status, now: now)
        #expect(json.path("spec", "replicas") == 1)
        #expect(json.path("status", "replicas") == 9)
        #expect(json.path("metadata", "generation") == 1)
        let same = try Strategy.prepareUpdate(.deployment, old: old, new: old.json, now: now)
        #expect(same == old.json)
        new.set("b", at: "spec", "selector", "matchLabels", "app")
        new.set("b", at: "spec", "template", "metadata", "labels", "app")
        let error = #expect(throws: APIError.self) {
            try Strategy.prepareUpdate(.deployment, old: old, new: new, now: now)
        }
        #expect(
            error?.message
                == "Deployment.apps \"web\" is invalid: spec.selector: Invalid value: "
                + "{\"matchLabels\":{\"app\":\"b\"}}: field is immutable")
        #expect(error?.details?["causes"]?[0]?["reason"] == "FieldValueInvalid")
    }

    private func pod(node: String = "") throws -> Object {
        var json = try create(
            .pod,
            #"{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]}}"#)
        if !node.isEmpty { json.set(.string(node), at: "spec", "nodeName") }
        return Object(kind: .pod, json: json, revision: 9)
    }

    @Test func podUpdates() throws {
        let old = try pod()
        var new = old.json
        var containers = new.path("spec", "containers") ?? .null
        containers[0]?["image"] = "j"
        new.set(containers, at: "spec", "containers")
        let json = try Strategy.prepareUpdate(.pod, old: old, new: new, now: now)
        #expect(json.path("metadata", "generation") == 2)
        new.set("elsewhere", at: "spec", "hostname")
        let error = #expect(throws: APIError.self) {
            try Strategy.prepareUpdate(.pod, old: old, new: new, now: now)
        }
        #expect(error?.message.contains("pod updates may not change fields other than") == true)
    }

    @Test func deletion() throws {
        var options = DeleteOptions()
        #expect(
            try Strategy.prepareDelete(.pod, old: pod(), options: options, now: now) == .remove)
        let bound = try pod(node: "n")
        guard
            case .update(let marked) = try Strategy.prepareDelete(
                .pod, old: bound, options: options, now: now)
        else {
            Issue.record("a bound pod waits for its node")
            return
        }
        #expect(marked.path("metadata", "deletionGracePeriodSeconds") == 30)
        #expect(marked.path("metadata", "deletionTimestamp") == "2020-09-13T12:27:10Z")
        #expect(!Strategy.isDeletionComplete(.pod, marked))
        let dying = Object(kind: .pod, json: marked, revision: 10)
        #expect(
            try Strategy.prepareDelete(.pod, old: dying, options: options, now: now) == .unchanged)
        options.gracePeriodSeconds = 0
        #expect(
            try Strategy.prepareDelete(.pod, old: dying, options: options, now: now) == .remove)
        options.gracePeriodSeconds = 5
        guard
            case .update(let sooner) = try Strategy.prepareDelete(
                .pod, old: dying, options: options, now: now)
        else {
            Issue.record("a shorter period takes effect")
            return
        }
        #expect(sooner.path("metadata", "deletionTimestamp") == "2020-09-13T12:26:45Z")
        options = DeleteOptions()
        options.preconditionUID = "other"
        let error = #expect(throws: APIError.self) {
            try Strategy.prepareDelete(.pod, old: bound, options: options, now: now)
        }
        #expect(
            error?.message
                == "Operation cannot be fulfilled on Pod \"p\": the UID in the precondition "
                + "(other) does not match the UID in record (uid-1). The object might have been "
                + "deleted and then recreated")
    }

    @Test func propagation() throws {
        let old = Object(kind: .deployment, json: try create(.deployment, deployment), revision: 5)
        var options = DeleteOptions()
        options.propagation = .foreground
        guard
            case .update(let json) = try Strategy.prepareDelete(
                .deployment, old: old, options: options, now: now)
        else {
            Issue.record("foreground deletion waits")
            return
        }
        #expect(json.path("metadata", "finalizers") == ["foregroundDeletion"])
        #expect(json.path("metadata", "generation") == 2)
        var freed = Object(kind: .deployment, json: json, revision: 6)
        freed.finalizers = []
        let after = try Strategy.prepareUpdate(
            .deployment, old: Object(kind: .deployment, json: json, revision: 6), new: freed.json,
            now: now)
        #expect(Strategy.isDeletionComplete(.deployment, after))
        options.propagation = .background
        #expect(
            try Strategy.prepareDelete(.deployment, old: old, options: options, now: now)
                == .remove)
    }

    @Test func namespaces() throws {
        let old = Object(
            kind: .namespace, json: try create(.namespace, #"{"metadata":{"name":"n"}}"#),
            revision: 5)
        guard
            case .update(let json) = try Strategy.prepareDelete(
                .namespace, old: old, options: DeleteOptions(), now: now)
        else {
            Issue.record("a namespace waits for its content")
            return
        }
        #expect(json.path("status", "phase") == "Terminating")
        let dying = Object(kind: .namespace, json: json, revision: 6)
        var empty = json
        empty.set([], at: "spec", "finalizers")
        let kept = try Strategy.prepareUpdate(.namespace, old: dying, new: empty, now: now)
        #expect(kept.path("spec", "finalizers") == ["kubernetes"])
        let done = try Strategy.prepareUpdate(
            .namespace, old: dying, new: empty, subresource: .finalize, now: now)
        #expect(Strategy.isDeletionComplete(.namespace, done))
    }
}
