/// The facts about API messages that everything generic runs on.
package enum Schema {
    /// Every message that the kinds reach, ordered by name.
    package static let messages: [SchemaMessage] = SchemaParser.parse(schemaData)

    private static let indexByName: [String: Int] = {
        var result: [String: Int] = [:]
        for (index, message) in messages.enumerated() { result[message.name] = index }
        return result
    }()

    /// A message by its full name, such as `api.core.v1.Pod`.
    package static func message(_ name: String) -> SchemaMessage? {
        indexByName[name].map { messages[$0] }
    }

    /// The message of a kind that comes in requests: one of the kinds served, or an option or
    /// subresource object such as DeleteOptions, Scale and Binding.
    package static func message(apiVersion: String, kind: String) -> SchemaMessage? {
        let parts = apiVersion.split(separator: "/")
        let version = String(parts.last ?? "")
        let group = parts.count > 1 ? String(parts[0].prefix { $0 != "." }) : "core"
        return message("api.\(group).\(version).\(kind)")
            ?? message("apimachinery.pkg.apis.meta.v1.\(kind)")
    }

    package static func message(of kind: ResourceKind) -> SchemaMessage {
        guard let message = message(kind.message) else {
            preconditionFailure("no schema for \(kind.message)")
        }
        return message
    }
}
