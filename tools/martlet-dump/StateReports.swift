import Documents
import Objects
import Backup
import Basics
import Keyspace

/// `hash`: one number for the state at a revision; equal on replicas that agree.
struct HashReport {
    let source: Source
    let revision: Int64

    func write(to output: Output) throws {
        var hash = StateHash()
        let answer = try source.keyspace().values(.all, revision: revision) { hash.add($0) }
        let revision = try answer.get()
        output.line(
            "\(Output.hexadecimal(hash.value))  revision \(revision), \(hash.keys) keys",
            [
                "hash": .string(Output.hexadecimal(hash.value)), "revision": .integer(revision),
                "keys": .integer(hash.keys),
            ])
    }
}

/// `export`: a JSON document per key, with etcd's field names; keys and values in base64.
struct ExportReport {
    let source: Source
    let prefix: Bytes
    let revision: Int64
    let showsSecrets: Bool
    let limit: Int

    func write(to output: Output) throws {
        var hidden = 0
        var shown = 0
        let secrets = Bytes("/registry/secrets/".utf8)
        let range = prefix.isEmpty ? KeyRange.all : .prefix(prefix)
        let answer = try source.keyspace().values(range, revision: revision) { keyValue in
            shown += 1
            guard shown <= limit else { return }
            var json: JSON = [
                "key": .string(Base64.encode(keyValue.key)),
                "create_revision": .integer(keyValue.createRevision),
                "mod_revision": .integer(keyValue.modRevision),
                "version": .integer(keyValue.version),
            ]
            if keyValue.lease != 0 { json["lease"] = .integer(keyValue.lease) }
            if keyValue.key.hasPrefix(secrets), !showsSecrets {
                hidden += 1
                json["hidden"] = .bool(true)
            } else {
                json["value"] = .string(Base64.encode(keyValue.value))
            }
            output.write(json.bytes())
        }
        _ = try answer.get()
        if hidden > 0 {
            Output.complain(
                "martlet-dump: \(hidden) Secrets went without their values: --show-secrets has them"
            )
        }
    }
}

/// `diff`: which keys are others at a later revision.
struct DiffReport {
    let source: Source
    let from: Int64
    let to: Int64
    let limit: Int

    private struct Key {
        var key: Bytes
        var before: KeyspaceInspector.Change?
        var after: KeyspaceInspector.Change?
    }

    func write(to output: Output) throws {
        let state = try source.keyspace().summary().state
        guard from <= to, to <= state.revision, from >= state.compactRevision else {
            throw DumpError(
                "the revisions that can be compared are \(max(1, state.compactRevision)) to"
                    + " \(state.revision)")
        }
        var current: Key?
        var shown = 0
        var counts: [String: Int64] = [:]
        func finish() {
            guard let key = current else { return }
            let before = key.before.flatMap { $0.isDelete ? nil : $0 }
            let after = key.after.flatMap { $0.isDelete ? nil : $0 }
            guard before?.revision != after?.revision else { return }
            let what = before == nil ? "added" : after == nil ? "removed" : "changed"
            counts[what, default: 0] += 1
            shown += 1
            guard shown <= limit else { return }
            let revision = key.after?.revision ?? 0
            let sizes =
                "\(before.map { Output.size(Int64($0.valueBytes)) } ?? "-")"
                + " to \(after.map { Output.size(Int64($0.valueBytes)) } ?? "-")"
            output.line(
                what.column(8) + "\(revision)".number(9) + "  \(key.key.readable)  (\(sizes))",
                [
                    "change": .string(what), "key": .string(key.key.readable),
                    "revision": .integer(revision),
                    "before": before.map { .integer($0.revision) } ?? .null,
                    "after": after.map { .integer($0.revision) } ?? .null,
                ])
        }
        try source.keyspace().changes(.all) { change in
            if current?.key != change.key {
                finish()
                current = Key(key: change.key)
            }
            if change.revision <= from { current?.before = change }
            if change.revision <= to { current?.after = change }
        }
        finish()
        if !output.isJSON {
            let parts = ["added", "changed", "removed"].map { "\(counts[$0] ?? 0) \($0)" }
            output.write(Bytes(parts.joined(separator: ", ").utf8))
        }
    }
}
