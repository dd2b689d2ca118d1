import Documents
import Basics
import Objects

/// The name part that tells a Deployment's ReplicaSets apart.
///
/// Upstream hashes a Go dump of the template, which nobody else can reproduce; any hash that
/// does not change with the order of keys serves, because ReplicaSets are found by comparing
/// templates and the hash is a name only.
enum TemplateHash {
    static func name(_ template: JSON, collisions: Int64?) -> String {
        var hash: UInt32 = 2_166_136_261
        mix(template, &hash)
        if let collisions { mix(Bytes(String(collisions).utf8), &hash) }
        return Names.safeEncode(String(hash))
    }

    private static func mix(_ json: JSON, _ hash: inout UInt32) {
        switch json {
        case .object(let object):
            mix([0x7b], &hash)
            for member in object.sorted(by: { $0.key < $1.key }) {
                mix(Bytes(member.key.utf8) + [0], &hash)
                mix(member.value, &hash)
            }
            mix([0x7d], &hash)
        case .array(let array):
            mix([0x5b], &hash)
            for element in array { mix(element, &hash) }
            mix([0x5d], &hash)
        default: mix(json.bytes() + [0], &hash)
        }
    }

    /// FNV-1, as upstream's.
    private static func mix(_ bytes: Bytes, _ hash: inout UInt32) {
        for byte in bytes { hash = hash &* 16_777_619 ^ UInt32(byte) }
    }

    /// Whether two templates ask for the same pods: the hash label apart, and with nothing,
    /// null and empty taken for the same.
    static func areEqual(_ left: JSON, _ right: JSON) -> Bool {
        normalized(left) == normalized(right)
    }

    /// A template without the hash label and without empty members.
    static func normalized(_ template: JSON) -> JSON {
        var template = template
        template.set(nil, at: "metadata", "labels", DeploymentKeys.hashLabel)
        return pruned(template) ?? .null
    }

    private static func pruned(_ json: JSON) -> JSON? {
        switch json {
        case .null: return nil
        case .object(let object):
            var rest = JSONObject()
            for member in object {
                // A volume's `emptyDir: {}` says something; an empty map elsewhere does not.
                let value = member.key == "emptyDir" ? member.value : pruned(member.value)
                if let value { rest[member.key] = value }
            }
            return rest.isEmpty ? nil : .object(rest)
        case .array(let array):
            return array.isEmpty ? nil : .array(array.map { pruned($0) ?? .null })
        default: return json
        }
    }
}
