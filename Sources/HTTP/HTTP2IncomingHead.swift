/// A header block as it comes in, and what RFC 9113 finds wrong with it.
///
/// nghttp2 could check requests too, but its checks come in one piece and refuse an `:authority`
/// that is a whole URL, which is what etcdctl 3.4 sends and Go's servers take.
struct HTTP2IncomingHead {
    var method = ""
    var target = ""
    var authority = ""
    var status = 0
    var headers = HTTPHeaders()
    /// As RFC 9113, 6.5.2 counts them.
    var bytes = 0
    /// What `content-length` announces.
    var contentLength: Int?
    private var pseudo: Set<String> = []
    /// The first field that may not stand where it stands, in any block of a request.
    private var fieldFault: String?

    /// Why this begins no request; nil if it may.
    var requestFault: String? {
        if let fieldFault { return fieldFault }
        if pseudo.contains(":status") { return "a request with a status" }
        if !HTTPFieldRules.isToken(method) { return "a request without a method" }
        if method == "CONNECT" {
            let isPlain = !pseudo.contains(":scheme") && !pseudo.contains(":path")
            return isPlain && !authority.isEmpty ? nil : "a CONNECT with a scheme or path"
        }
        if !pseudo.contains(":scheme") { return "a request without a scheme" }
        guard target.utf8.first == UInt8(ascii: "/") || method == "OPTIONS" && target == "*" else {
            return "a request without a path"
        }
        return HTTPFieldRules.isTarget(target) ? nil : "a path with blanks"
    }

    /// Why this ends no body; nil if it may.
    var trailersFault: String? {
        pseudo.isEmpty ? fieldFault : "trailers with pseudo header fields"
    }

    mutating func take(_ field: HTTPHeaders.Field) {
        if !HTTPFieldRules.isValue(field.value) { note("a header value with control characters") }
        guard field.name.utf8.first == UInt8(ascii: ":") else { return takeHeader(field) }
        if !headers.fields.isEmpty { note("a pseudo header field behind others") }
        if !pseudo.insert(field.name).inserted { note("a pseudo header field twice") }
        switch field.name {
        case ":method": method = field.value
        case ":path": target = field.value
        case ":authority": authority = field.value
        case ":status": status = Int(field.value) ?? 0
        case ":scheme": break
        default: note("an unknown pseudo header field")
        }
    }

    private mutating func takeHeader(_ field: HTTPHeaders.Field) {
        switch field.name {
        case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade":
            note("a header that belongs to HTTP/1.1")
        case "te":
            if field.value.lowercased() != "trailers" { note("a te that is not trailers") }
        case "content-length":
            let length = HTTPFieldRules.isNumber(field.value) ? Int(field.value) : nil
            if length == nil || contentLength != nil { note("a content-length that is no number") }
            contentLength = length
        default:
            if !HTTPFieldRules.isName(field.name) { note("a header name that is none") }
        }
        headers.appendLowered(field.name, field.value)
    }

    private mutating func note(_ fault: String) { fieldFault = fieldFault ?? fault }
}

/// Which bytes may stand in the parts of a header block (RFC 9110, 5.5 and 5.6.2; RFC 9113, 8.2).
enum HTTPFieldRules {
    static func isToken(_ text: String) -> Bool {
        !text.utf8.isEmpty && text.utf8.allSatisfy(isTokenByte)
    }

    /// HTTP/2 takes names in lower case only.
    static func isName(_ text: String) -> Bool {
        isToken(text) && !text.utf8.contains { $0 >= 0x41 && $0 <= 0x5a }
    }

    static func isValue(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }
    }

    static func isTarget(_ text: String) -> Bool { !text.utf8.contains { $0 <= 0x20 } }

    static func isNumber(_ text: String) -> Bool {
        !text.utf8.isEmpty && text.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
