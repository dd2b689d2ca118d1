package import Documents
package import Basics
import Objects

/// One file of a volume that is made of API data.
package struct VolumeFile: Sendable, Hashable {
    package var path: String
    package var content: Bytes
    package var mode: UInt32

    package init(path: String, content: Bytes, mode: UInt32) {
        self.path = path
        self.content = content
        self.mode = mode
    }
}

/// Computes the files of configMap, secret, downwardAPI and projected volumes. Pure.
package enum VolumeFiles {
    private static let defaultMode: Int64 = 0o644

    package static func isAPIData(_ volume: JSON) -> Bool {
        ["configMap", "secret", "downwardAPI", "projected"].contains { volume[$0] != nil }
    }

    /// Nil for a volume that is not made of API data.
    package static func make(
        _ volume: JSON, facts: PodFacts, sources: ConfigSources
    ) throws(RuntimeError) -> [VolumeFile]? {
        if let source = volume["configMap"] {
            return try keys(source, .init(.configMap, name(source)), source, facts, sources)
        }
        if let source = volume["secret"] {
            let name = source["secretName"]?.stringValue ?? ""
            return try keys(source, .init(.secret, name), source, facts, sources)
        }
        if let source = volume["downwardAPI"] { return try downward(source, source, facts) }
        guard let projected = volume["projected"] else { return nil }
        var files: [VolumeFile] = []
        for source in projected["sources"]?.elements ?? [] {
            if let part = source["configMap"] {
                files += try keys(part, .init(.configMap, name(part)), projected, facts, sources)
            } else if let part = source["secret"] {
                files += try keys(part, .init(.secret, name(part)), projected, facts, sources)
            } else if let part = source["downwardAPI"] {
                files += try downward(part, projected, facts)
            } else {
                let kind = source.objectValue?.keys.first ?? "?"
                throw failure("projected volume source \(kind) is not supported by this node")
            }
        }
        return files
    }

    private static func name(_ source: JSON) -> String { source["name"]?.stringValue ?? "" }

    private static func failure(_ text: String) -> RuntimeError {
        RuntimeError("FailedMount", text)
    }

    /// `source` has the items, `volume` the default mode.
    private static func keys(
        _ source: JSON, _ reference: ConfigSources.Reference, _ volume: JSON, _ facts: PodFacts,
        _ sources: ConfigSources
    ) throws(RuntimeError) -> [VolumeFile] {
        let isOptional = source["optional"]?.boolValue == true
        let mode = volume["defaultMode"]?.intValue ?? defaultMode
        guard let data = sources.data(reference) else {
            if isOptional { return [] }
            throw failure("\(reference.kind.word) \"\(reference.name)\" not found")
        }
        guard let items = source["items"]?.arrayValue else {
            return data.map { VolumeFile(path: $0.key, content: $0.value, mode: UInt32(mode)) }
        }
        var files: [VolumeFile] = []
        for item in items {
            let key = item["key"]?.stringValue ?? ""
            let path = try checked(item["path"]?.stringValue ?? key)
            guard let found = data.first(where: { $0.key == key }) else {
                if isOptional { continue }
                throw failure(
                    "\(reference.kind.word) references non-existent \(reference.kind.word) key: "
                        + key)
            }
            files.append(
                VolumeFile(
                    path: path, content: found.value,
                    mode: UInt32(item["mode"]?.intValue ?? mode)))
        }
        return files
    }

    private static func downward(
        _ source: JSON, _ volume: JSON, _ facts: PodFacts
    ) throws(RuntimeError) -> [VolumeFile] {
        let mode = volume["defaultMode"]?.intValue ?? defaultMode
        var files: [VolumeFile] = []
        for item in source["items"]?.elements ?? [] {
            let path = try checked(item["path"]?.stringValue ?? "")
            var value: String?
            if let field = item.path("fieldRef", "fieldPath")?.stringValue {
                value = facts.field(field)
            } else if let reference = item["resourceFieldRef"] {
                value = facts.resource(reference, container: [:])
            }
            guard let value else { throw failure("downwardAPI item \(path) has no value") }
            files.append(
                VolumeFile(
                    path: path, content: Bytes(value.utf8),
                    mode: UInt32(item["mode"]?.intValue ?? mode)))
        }
        return files
    }

    /// A path inside the volume: relative and without `..`.
    package static func checked(_ path: String) throws(RuntimeError) -> String {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard !path.isEmpty, !path.hasPrefix("/"), !parts.contains("..") else {
            throw failure("path \"\(path)\" must be relative and not contain '..'")
        }
        return path
    }
}
