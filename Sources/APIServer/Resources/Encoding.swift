import Documents
import Basics
import Objects

extension Representation {
    /// One object as the body of an answer or of a watch event.
    func append(_ item: StoredItem, to out: inout Bytes, withHeaders: Bool = true) throws(APIError)
    {
        switch form {
        case .full:
            item.appendWire(to: &out)
        case .metadata:
            metadataJSON(try item.object().wireJSON).write(to: &out)
        case .table:
            let object = try item.object()
            table(
                object.kind.kind, [object.wireJSON],
                metadata: ["resourceVersion": .string(String(item.revision))],
                withHeaders: withHeaders
            ).write(to: &out)
        }
    }

    func body(_ item: StoredItem) throws(APIError) -> Bytes {
        var out = Bytes()
        out.reserveCapacity(item.stored.value.count + 64)
        try append(item, to: &out)
        out.append(0x0a)
        return out
    }

    /// A whole list, its metadata given.
    func list(_ kind: ResourceKind, _ items: [StoredItem], metadata: JSON) throws(APIError) -> Bytes
    {
        var out = Bytes()
        switch form {
        case .full:
            out.reserveCapacity(items.reduce(256) { $0 + $1.stored.value.count + 48 })
            openList(kind.listKind, kind.apiVersion, metadata, &out)
            for (index, item) in items.enumerated() {
                if index > 0 { out.append(0x2c) }
                item.appendWire(to: &out)
            }
            out += Bytes("]}".utf8)
        case .metadata:
            openList("PartialObjectMetadataList", "meta.k8s.io/" + metaVersion, metadata, &out)
            for (index, item) in items.enumerated() {
                if index > 0 { out.append(0x2c) }
                metadataJSON(try item.object().wireJSON).write(to: &out)
            }
            out += Bytes("]}".utf8)
        case .table:
            var objects: [JSON] = []
            for item in items { objects.append(try item.object().wireJSON) }
            table(kind.kind, objects, metadata: metadata).write(to: &out)
        }
        out.append(0x0a)
        return out
    }

    private func openList(
        _ kind: String, _ apiVersion: String, _ metadata: JSON, _ out: inout Bytes
    ) {
        out += Bytes("{\"kind\":\"\(kind)\",\"apiVersion\":\"\(apiVersion)\",\"metadata\":".utf8)
        metadata.write(to: &out)
        out += Bytes(",\"items\":[".utf8)
    }

    func metadataJSON(_ object: JSON) -> JSON {
        [
            "kind": "PartialObjectMetadata", "apiVersion": .string("meta.k8s.io/" + metaVersion),
            "metadata": object["metadata"] ?? [:],
        ]
    }

    func table(
        _ kind: String, _ objects: [JSON], metadata: JSON, withHeaders: Bool = true
    ) -> JSON {
        let printer = TablePrinter.printer(for: kind)
        let now = WallTime.now()
        let rows = objects.map { object in
            var row: JSON = ["cells": .array(printer.cells(object, now: now))]
            switch includedObject {
            case .none: row["object"] = .null
            case .metadata: row["object"] = metadataJSON(object)
            case .object: row["object"] = object
            }
            return row
        }
        var table: JSON = [
            "kind": "Table", "apiVersion": .string("meta.k8s.io/" + metaVersion),
            "metadata": metadata,
        ]
        table["columnDefinitions"] =
            withHeaders ? .array(printer.columns.map(\.json)) : .null
        table["rows"] = .array(rows)
        return table
    }
}
