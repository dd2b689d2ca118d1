package import Basics
package import Keyspace

extension TransactionRequest: ProtobufEncodable, ProtobufDecodable {
    package static var messageName: String { "TxnRequest" }

    package func encode(to writer: inout ProtobufWriter) {
        for compare in compares { writer.write(1, compare) }
        for operation in success { writer.write(2, operation) }
        for operation in failure { writer.write(3, operation) }
    }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        try self.init(from: &reader, depth: 0)
    }

    init(from reader: inout ProtobufReader, depth: Int) throws(DecodingFailure) {
        guard depth < Limits.transactionDepthMax else {
            throw reader.failure("transactions nested too deep", .tooDeep)
        }
        self.init(success: [])
        while let field = try reader.next() {
            switch field {
            case 1: compares.append(try Compare(within: &reader))
            case 2: success.append(try operation(&reader, depth))
            case 3: failure.append(try operation(&reader, depth))
            default: try reader.skip()
            }
        }
    }
}

private func operation(
    _ reader: inout ProtobufReader, _ depth: Int
) throws(DecodingFailure) -> Operation {
    var reader = try reader.message("RequestOp")
    var operation: Operation?
    while let field = try reader.next() {
        switch field {
        case 1: operation = .range(try RangeRequest(within: &reader))
        case 2: operation = .put(try PutRequest(within: &reader))
        case 3: operation = .deleteRange(try DeleteRangeRequest(within: &reader))
        case 4:
            var inner = try reader.message("TxnRequest")
            operation = .transaction(try TransactionRequest(from: &inner, depth: depth + 1))
        default: try reader.skip()
        }
    }
    guard let operation else { throw reader.failure("empty operation", .emptyChoice) }
    return operation
}

extension Operation: ProtobufEncodable {
    package func encode(to writer: inout ProtobufWriter) {
        switch self {
        case .range(let request): writer.write(1, request)
        case .put(let request): writer.write(2, request)
        case .deleteRange(let request): writer.write(3, request)
        case .transaction(let request): writer.write(4, request)
        }
    }
}

extension TransactionResponse: ProtobufDecodable {
    package static var messageName: String { "TxnResponse" }

    package func encode(to writer: inout ProtobufWriter, header: ResponseHeader) {
        writer.write(1, header)
        writer.write(2, succeeded)
        // Answers within carry the revision alone.
        let inner = ResponseHeader(revision: revision)
        for response in responses {
            var body = ProtobufWriter()
            let field: Int
            switch response {
            case .range(let range):
                range.encode(to: &body, header: inner)
                field = 1
            case .put(let put):
                put.encode(to: &body, header: inner)
                field = 2
            case .deleteRange(let delete):
                delete.encode(to: &body, header: inner)
                field = 3
            case .transaction(let transaction):
                transaction.encode(to: &body, header: inner)
                field = 4
            }
            var operation = ProtobufWriter(reserving: body.count + 8)
            operation.writeElement(field, body.bytes)
            writer.writeElement(3, operation.bytes)
        }
    }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        try self.init(from: &reader, depth: 0)
    }

    private init(from reader: inout ProtobufReader, depth: Int) throws(DecodingFailure) {
        guard depth < Limits.transactionDepthMax else {
            throw reader.failure("transactions nested too deep", .tooDeep)
        }
        self.init(revision: 0, succeeded: false, responses: [])
        while let field = try reader.next() {
            switch field {
            case 1: revision = try ResponseHeader(within: &reader).revision
            case 2: succeeded = try reader.bool()
            case 3: responses.append(try Self.response(&reader, depth))
            default: try reader.skip()
            }
        }
    }

    private static func response(
        _ reader: inout ProtobufReader, _ depth: Int
    ) throws(DecodingFailure) -> OperationResponse {
        var reader = try reader.message("ResponseOp")
        var response: OperationResponse?
        while let field = try reader.next() {
            switch field {
            case 1: response = .range(try RangeResponse(within: &reader))
            case 2: response = .put(try PutResponse(within: &reader))
            case 3: response = .deleteRange(try DeleteRangeResponse(within: &reader))
            case 4:
                var inner = try reader.message("TxnResponse")
                response = .transaction(try Self(from: &inner, depth: depth + 1))
            default: try reader.skip()
            }
        }
        guard let response else { throw reader.failure("empty response") }
        return response
    }
}
