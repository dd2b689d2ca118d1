import Documents
import Keyspace
import Objects

/// Which objects of a kind a list, watch or collection delete is about.
struct Selection: Sendable {
    let kind: ResourceKind
    let range: KeyRange
    private let labels: LabelSelector
    private let fields: FieldSelector

    init(_ context: RequestContext) throws(APIError) {
        kind = context.kind
        let namespace = kind.isNamespaced ? context.info.namespace : ""
        do {
            labels = try LabelSelector(parsing: context.query["labelSelector"] ?? "")
            fields = try FieldSelector(parsing: context.query["fieldSelector"] ?? "")
                .checked(for: kind.kind)
        } catch {
            throw .badRequest(error.message)
        }
        range = kind.prefix(namespace: namespace.isEmpty ? nil : namespace)
        // A single name needs no scan of the collection.
        single = fields.requiredName.flatMap { [kind] name in
            kind.isNamespaced && namespace.isEmpty
                ? nil : kind.key(namespace: namespace, name: name)
        }
    }

    /// The one key that can match.
    private let single: [UInt8]?

    /// Where a watch looks: the single key if there is one.
    var watchRange: KeyRange { single.map(KeyRange.key) ?? range }

    var isEverything: Bool { labels.isEverything && fields.isEverything }

    func matches(_ item: StoredItem) throws(APIError) -> Bool {
        isEverything ? true : matches(try item.object().json)
    }

    func matches(_ json: JSON) -> Bool {
        labels.matches(object: json) && fields.matches(object: json)
    }
}
