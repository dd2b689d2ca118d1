import Documents
import Objects
import Basics
import Keyspace

/// `get`: one key, decoded where it is an object of the API.
struct ObjectReport {
    private let source: Source
    private let key: Bytes
    private let showsSecrets: Bool

    init(_ source: Source, key: Bytes, showsSecrets: Bool) {
        self.source = source
        self.key = key
        self.showsSecrets = showsSecrets
    }

    func write(to output: Output, revision: Int64) throws {
        let found = try source.keyspace().get(key, revision: revision).get()
        guard let keyValue = found else {
            let time = revision == 0 ? "" : " at revision \(revision)"
            throw DumpError("there is no key \(key.readable)\(time)")
        }
        let isSecret = key.hasPrefix(Bytes("/registry/secrets/".utf8))
        let content = decode(keyValue, isSecret: isSecret)
        if output.isJSON {
            output.write(json(keyValue, content).bytes())
            return
        }
        let lease = keyValue.lease == 0 ? "" : ", lease \(keyValue.lease)"
        output.write(
            Bytes(
                """
                # \(key.readable)
                # created at \(keyValue.createRevision), written at \(keyValue.modRevision), \
                version \(keyValue.version), \(keyValue.value.count) bytes\(lease)
                """.utf8))
        switch content {
        case .object(let json): output.write(PrettyJSON.bytes(json))
        case .text(let text): output.write(text)
        case .hidden(let why): output.write(Bytes("# \(why)".utf8))
        }
    }

    private enum Content {
        case object(JSON)
        case text(Bytes)
        case hidden(String)
    }

    private func decode(_ keyValue: KeyValue, isSecret: Bool) -> Content {
        do throws(StoredValueError) {
            let stored = try StoredValue(keyValue.value)
            if stored.isSealed { throw .sealed }
            let wire = stored.wireBytes(revision: keyValue.modRevision)
            guard var json = try? JSON.parse(wire) else {
                throw .damaged("it does not parse")
            }
            if isSecret || json["kind"]?.stringValue == "Secret", !showsSecrets {
                Self.hide(in: &json)
            }
            return .object(json)
        } catch {
            // Not an object of the API: etcd clients may write what they like.
            if case .foreign = error {
                if isSecret && !showsSecrets {
                    return .hidden("the value may be a Secret: --show-secrets shows it")
                }
                return .text(Bytes(keyValue.value.readable.utf8))
            }
            return .hidden("\(error)")
        }
    }

    /// Leaves of a Secret only the lengths, and nothing of the copy that `kubectl apply` keeps.
    private static func hide(in json: inout JSON) {
        for field in ["data", "stringData"] {
            guard let data = json[field]?.objectValue else { continue }
            var hidden = JSONObject()
            for member in data.members {
                let count = member.value.stringValue?.utf8.count ?? 0
                hidden.replace(member.key, with: .string("hidden, \(count) characters"))
            }
            json[field] = .object(hidden)
        }
        let applied = "kubectl.kubernetes.io/last-applied-configuration"
        if json["metadata"]?["annotations"]?[applied] != nil {
            json["metadata"]?["annotations"]?[applied] = .string("hidden")
        }
    }

    private func json(_ keyValue: KeyValue, _ content: Content) -> JSON {
        var json: JSON = [
            "key": .string(key.readable), "createRevision": .integer(keyValue.createRevision),
            "modRevision": .integer(keyValue.modRevision),
            "version": .integer(keyValue.version), "lease": .integer(keyValue.lease),
            "valueBytes": .integer(Int64(keyValue.value.count)),
        ]
        switch content {
        case .object(let object): json["object"] = object
        case .text(let text): json["value"] = .string(String(decoding: text, as: UTF8.self))
        case .hidden(let why): json["hidden"] = .string(why)
        }
        return json
    }
}
