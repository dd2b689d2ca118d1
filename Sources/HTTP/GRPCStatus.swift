/// How a call ended, in gRPC's terms.
package struct GRPCStatus: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: Int, Sendable, Hashable, CaseIterable {
        case ok = 0
        case cancelled, unknown, invalidArgument, deadlineExceeded, notFound, alreadyExists
        case permissionDenied, resourceExhausted, failedPrecondition, aborted, outOfRange
        case unimplemented, internalError, unavailable, dataLoss, unauthenticated
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String = "") {
        self.code = code
        self.message = message
    }

    package static let ok = GRPCStatus(.ok)
    /// etcd's words for a server that has too much to do.
    package static let tooManyRequests = GRPCStatus(
        .resourceExhausted, "etcdserver: too many requests")

    /// A request that ends before its message does.
    package static let requestCutShort = GRPCStatus(
        .internalError, "grpc: request ends within a message")
    /// A request that ends before the one message that the call takes.
    package static let requestWithoutMessage = GRPCStatus(
        .internalError, "grpc: request without a message")

    package var description: String { "\(code): \(message)" }
}

extension GRPCStatus.Code {
    /// The name that grpc-go and its metrics use.
    package var name: String {
        switch self {
        case .ok: "OK"
        case .cancelled: "Canceled"
        case .unknown: "Unknown"
        case .invalidArgument: "InvalidArgument"
        case .deadlineExceeded: "DeadlineExceeded"
        case .notFound: "NotFound"
        case .alreadyExists: "AlreadyExists"
        case .permissionDenied: "PermissionDenied"
        case .resourceExhausted: "ResourceExhausted"
        case .failedPrecondition: "FailedPrecondition"
        case .aborted: "Aborted"
        case .outOfRange: "OutOfRange"
        case .unimplemented: "Unimplemented"
        case .internalError: "Internal"
        case .unavailable: "Unavailable"
        case .dataLoss: "DataLoss"
        case .unauthenticated: "Unauthenticated"
        }
    }
}

extension GRPCStatus {
    /// Trailers that end a call, the message percent-encoded as gRPC demands.
    var trailers: HTTPHeaders {
        var headers = HTTPHeaders()
        headers.appendLowered("grpc-status", String(code.rawValue))
        if !message.isEmpty { headers.appendLowered("grpc-message", percentEncoded(message)) }
        return headers
    }

    /// Reads the trailers of an answer; nil if there is no status among them.
    package init?(trailers: HTTPHeaders) {
        guard let text = trailers.first("grpc-status"), let number = Int(text) else { return nil }
        code = Code(rawValue: number) ?? .unknown
        message = percentDecoded(trailers.first("grpc-message") ?? "")
    }
}

private func percentEncoded(_ text: String) -> String {
    let plain = text.utf8.allSatisfy { $0 >= 0x20 && $0 <= 0x7e && $0 != 0x25 }
    if plain { return text }
    let digits = Array("0123456789ABCDEF".utf8)
    var out: [UInt8] = []
    for byte in text.utf8 {
        if byte >= 0x20 && byte <= 0x7e && byte != 0x25 {
            out.append(byte)
        } else {
            out += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: out, as: UTF8.self)
}

private func percentDecoded(_ text: String) -> String {
    guard text.utf8.contains(0x25) else { return text }
    let bytes = Array(text.utf8)
    var out: [UInt8] = []
    var index = 0
    while index < bytes.count {
        if bytes[index] == 0x25, index + 2 < bytes.count,
            let value = UInt8(
                String(decoding: bytes[index + 1...index + 2], as: UTF8.self), radix: 16)
        {
            out.append(value)
            index += 3
        } else {
            out.append(bytes[index])
            index += 1
        }
    }
    return String(decoding: out, as: UTF8.self)
}
