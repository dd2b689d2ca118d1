package import Basics

/// What to do about fields that the schema does not know and keys given twice.
package enum FieldValidation: String, Sendable, Hashable {
    case ignore = "Ignore"
    case warn = "Warn"
    case strict = "Strict"
}

/// A request's body as JSON, whatever it came as.
package enum RequestBody {
    package static func decode(
        contentType: String, _ body: Bytes, expected kind: ResourceKind,
        fieldValidation: FieldValidation = .warn
    ) throws(APIError) -> (json: JSON, warnings: [String]) {
        do {
            return (try JSON.parse(body), [])
        } catch {
            throw .badRequest(error.message)
        }
    }
}
