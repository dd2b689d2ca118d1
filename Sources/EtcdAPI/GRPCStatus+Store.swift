import Basics
package import HTTP
package import Keyspace

extension GRPCStatus {
    /// A store's error with the gRPC code that etcd gives it.
    package init(_ error: StoreError) {
        let code: Code =
            switch error.code {
            case .compacted, .futureRevision, .ttlTooLarge: .outOfRange
            case .invalid, .tooLarge: .invalidArgument
            case .notFound: .notFound
            case .alreadyExists, .failedPrecondition: .failedPrecondition
            case .noSpace, .overloaded: .resourceExhausted
            case .unavailable, .timeout: .unavailable
            case .permissionDenied: .permissionDenied
            case .unauthenticated: .unauthenticated
            case .corrupt: .dataLoss
            case .cancelled: .cancelled
            default: .unknown
            }
        self.init(code, error.message)
    }

    /// A request that does not decode; etcd has words of its own for some kinds. The options that
    /// are told apart are those of sorting.
    init(_ failure: DecodingFailure) {
        switch failure.kind {
        case .unknownOption:
            self.init(.invalidArgument, "etcdserver: invalid sort option")
        case .emptyChoice:
            self.init(.invalidArgument, StoreError.keyNotFound.message)
        case .tooDeep:
            self.init(StoreError.tooManyOperations)
        case .malformed:
            self.init(.internalError, "grpc: error unmarshalling request: \(failure)")
        }
    }
}

extension GRPCReply {
    /// Answers with a store's result.
    func callAsFunction<Value>(
        _ result: Result<Value, StoreError>, _ encode: (Value) -> Bytes
    ) {
        switch result {
        case .success(let value): self(encode(value))
        case .failure(let error): self(GRPCStatus(error))
        }
    }
}

extension GRPCStatus.Code {
    /// As Go spells it: `PermissionDenied`.
    var goName: String {
        let name = "\(self)"
        return name.prefix(1).uppercased() + name.dropFirst()
    }
}
