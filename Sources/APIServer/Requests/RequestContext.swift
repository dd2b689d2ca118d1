import Documents
import Basics
import HTTP
import Objects

/// One request for a resource, with everything that was read from its head.
struct RequestContext: Sendable {
    let info: RequestInfo
    let query: QueryParameters
    let request: HTTPRequest
    let identity: Identity
    let representation: Representation
    let kind: ResourceKind

    var body: Bytes { request.body }
    var contentType: String { request.head.headers.first("content-type") ?? "" }

    /// `dryRun=All`: everything but the write.
    func isDryRun() throws(APIError) -> Bool {
        var options = DeleteOptions()
        try options.setDryRun(query.all("dryRun"))
        return options.isDryRun
    }

    func fieldValidation() throws(APIError) -> FieldValidation {
        guard let text = query["fieldValidation"] else { return .warn }
        guard let value = FieldValidation(rawValue: text) else {
            throw APIError(
                code: 422, reason: "Invalid",
                message: "\(optionsKind).meta.k8s.io \"\" is invalid: fieldValidation: "
                    + "Unsupported value: \"\(text)\": supported values: \"\", \"Ignore\", "
                    + "\"Strict\", \"Warn\"",
                details: [
                    "group": "meta.k8s.io", "kind": .string(optionsKind),
                    "causes": [
                        [
                            "reason": "FieldValueNotSupported",
                            "message": .string("Unsupported value: \"\(text)\""),
                            "field": "fieldValidation",
                        ]
                    ],
                ])
        }
        return value
    }

    private var optionsKind: String {
        switch info.verb {
        case "create": "CreateOptions"
        case "patch": "PatchOptions"
        default: "UpdateOptions"
        }
    }
}
