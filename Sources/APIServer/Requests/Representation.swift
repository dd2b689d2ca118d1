import Objects

/// The form in which the client wants objects, from its `Accept` header.
struct Representation: Sendable, Hashable {
    enum Form: Sendable, Hashable { case full, table, metadata }
    enum IncludedObject: String, Sendable {
        case none = "None", metadata = "Metadata", object = "Object"
    }

    var form = Form.full
    /// Of `Table` and `PartialObjectMetadata`.
    var metaVersion = "v1"
    var includedObject = IncludedObject.metadata

    static let json = Representation()
    static let accepted = [
        "application/json", "application/yaml", "application/vnd.kubernetes.protobuf",
    ]

    /// The first of the client's choices that this server can give. Protobuf is answered with
    /// JSON, which every client that asks for it reads as well.
    init(accept: String?, query: QueryParameters) throws(APIError) {
        if let text = query["includeObject"] {
            guard let included = IncludedObject(rawValue: text) else {
                throw .badRequest(
                    "unrecognized includeObject value: \"\(text)\", must be one of: "
                        + "'None', 'Metadata', 'Object'")
            }
            includedObject = included
        }
        guard let accept, !accept.isEmpty else { return }
        for choice in accept.split(separator: ",") {
            let parts = choice.split(separator: ";").map(trimmed)
            guard let type = parts.first, Self.isServed(type) else { continue }
            var parameters: [String: String] = [:]
            for part in parts.dropFirst() {
                let pair = part.split(separator: "=", maxSplits: 1).map(trimmed)
                if pair.count == 2 { parameters[pair[0]] = pair[1] }
            }
            guard let shape = parameters["as"] else { return }
            guard parameters["g"] == "meta.k8s.io", let version = parameters["v"],
                version == "v1" || version == "v1beta1"
            else { continue }
            switch shape {
            case "Table": form = .table
            case "PartialObjectMetadata", "PartialObjectMetadataList": form = .metadata
            default: continue
            }
            metaVersion = version
            return
        }
        throw .notAcceptable(Self.accepted)
    }

    private init() {}

    private static func isServed(_ type: String) -> Bool {
        switch type {
        case "application/json", "application/*", "*/*", "application/vnd.kubernetes.protobuf": true
        default: false
        }
    }
}

/// Without blanks at either end.
func trimmed(_ text: Substring) -> String {
    let start = text.drop { $0 == " " || $0 == "\t" }
    var end = start
    while let last = end.last, last == " " || last == "\t" { end.removeLast() }
    return String(end)
}
