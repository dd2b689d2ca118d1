import Basics
import EtcdMessages
import HTTP

/// `Maintenance.Downgrade`. There is no older version of this store to go to, so each of its
/// requests gets the error with which etcd refuses an impossible one.
enum DowngradeRequest {
    static func refusal(of message: Bytes) -> GRPCStatus {
        var action: UInt64 = 0
        var version = ""
        do throws(DecodingFailure) {
            var reader = ProtobufReader(message, "DowngradeRequest")
            while let field = try reader.next() {
                switch field {
                case 1: action = try reader.unsigned()
                case 2: version = try reader.text()
                default: try reader.skip()
                }
            }
        } catch {
            return GRPCStatus(error)
        }
        switch action {
        case 0, 1:
            return isVersion(version)
                ? GRPCStatus(.invalidArgument, "etcdserver: invalid downgrade target version")
                : GRPCStatus(
                    .invalidArgument, "etcdserver: wrong downgrade target version format")
        case 2: return GRPCStatus(.failedPrecondition, "etcdserver: no inflight downgrade job")
        default: return GRPCStatus(.unknown, "etcdserver: unknown method")
        }
    }

    /// `3.5` or `3.5.0`.
    private static func isVersion(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return (2...3).contains(parts.count) && parts.allSatisfy { UInt32($0) != nil }
    }
}
