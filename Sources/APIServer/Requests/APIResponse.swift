import Documents
import Basics
import HTTP
import Objects

/// A complete answer.
struct APIResponse: Sendable {
    var status = 200
    var contentType = "application/json"
    var headers = HTTPHeaders()
    var body: Bytes
    /// Each goes out as a `Warning` header, which kubectl prints.
    var warnings: [String] = []

    init(status: Int = 200, contentType: String = "application/json", body: Bytes) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }

    init(status: Int = 200, json: JSON) {
        self.init(status: status, body: json.bytes() + [0x0a])
    }

    init(_ error: APIError) {
        self.init(status: error.code, json: error.status)
        if let seconds = error.retryAfterSeconds { headers.set("retry-after", String(seconds)) }
    }

    static func text(_ text: String, status: Int = 200) -> APIResponse {
        APIResponse(
            status: status, contentType: "text/plain; charset=utf-8", body: Bytes(text.utf8))
    }

    func warning(_ texts: [String]) -> APIResponse {
        var copy = self
        copy.warnings += texts
        return copy
    }

    func send(to writer: HTTPResponseWriter) {
        var headers = headers
        headers.set("content-type", contentType)
        if headers.first("cache-control") == nil {
            headers.set("cache-control", "no-cache, private")
        }
        for warning in warnings { headers.add("warning", "299 - \(Self.quoted(warning))") }
        writer.respond(status: status, headers: headers, body: body)
    }

    /// A quoted-string of RFC 9110, on one line.
    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\":
                out += "\\"
                out.unicodeScalars.append(scalar)
            case let control where control.value < 0x20 || control.value == 0x7f: out += " "
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
