import Basics
import Crypto

/// Ids of members and clusters as etcd makes them, so that they are the same ones here.
package enum EtcdIdentity {
    /// From the URLs in order and the cluster's token.
    package static func member(peerURLs: [String], token: String) -> UInt64 {
        id(of: Array((peerURLs.sorted().joined() + token).utf8))
    }

    package static func cluster(members: [UInt64]) -> UInt64 {
        var bytes = Bytes()
        for member in members.sorted() {
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: member >> UInt64(shift)))
            }
        }
        return id(of: bytes)
    }

    private static func id(of bytes: Bytes) -> UInt64 {
        // What etcd hashes with; nothing secret depends on it.
        Insecure.SHA1.hash(data: bytes).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
