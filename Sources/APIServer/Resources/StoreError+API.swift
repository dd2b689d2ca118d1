import Documents
import Keyspace
import Objects

extension APIError {
    /// What a failure of the store looks like to API clients.
    init(_ error: StoreError) {
        switch error.code {
        case .compacted:
            self = .expired(
                "The resourceVersion for the provided list is too old: \(error.message)")
        case .futureRevision:
            self = .timeout(error.message)
        case .tooLarge:
            self = .tooLarge(error.message)
        case .overloaded:
            self = .tooManyRequests(error.message)
        case .timeout:
            self = .timeout(error.message)
        case .unavailable, .cancelled:
            var unavailable = APIError.serviceUnavailable(error.message)
            unavailable.details = ["retryAfterSeconds": 1]
            self = unavailable
        case .permissionDenied:
            self = .forbidden(error.message)
        default:
            self = .internalError(error.message)
        }
    }
}
