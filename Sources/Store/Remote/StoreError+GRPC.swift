import HTTP
import Keyspace

extension StoreError {
    /// Reads an error off the wire; the code alone does not tell etcd's errors apart.
    init(_ status: GRPCStatus) {
        let message = status.message
        let code: Code =
            switch status.code {
            case .outOfRange:
                if message.hasSuffix("has been compacted") {
                    .compacted
                } else if message.hasSuffix("is a future revision") {
                    .futureRevision
                } else {
                    .invalid
                }
            case .invalidArgument:
                message == StoreError.requestTooLarge.message ? .tooLarge : .invalid
            case .notFound: .notFound
            case .alreadyExists: .alreadyExists
            case .failedPrecondition: .failedPrecondition
            case .resourceExhausted:
                message == StoreError.noSpace.message ? .noSpace : .overloaded
            case .deadlineExceeded: .timeout
            case .unavailable:
                message.hasPrefix(StoreError.timeout.message) ? .timeout : .unavailable
            case .permissionDenied: .permissionDenied
            case .unauthenticated: .unauthenticated
            case .dataLoss: .corrupt
            case .cancelled: .cancelled
            case .unimplemented: .invalid
            // What the server itself did not expect: a write may have taken effect.
            case .ok, .unknown, .aborted, .internalError: .unavailable
            }
        self.init(code, message)
    }
}
