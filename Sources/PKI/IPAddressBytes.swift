package import Basics
import Glibc

/// The network-order bytes of an IPv4 or IPv6 address in text; nil for any other text.
package func ipAddressBytes(_ text: String) -> Bytes? {
    var four = in_addr()
    if unsafe inet_pton(AF_INET, text, &four) == 1 {
        return unsafe withUnsafeBytes(of: &four) { unsafe Bytes($0) }
    }
    var six = in6_addr()
    if unsafe inet_pton(AF_INET6, text, &six) == 1 {
        return unsafe withUnsafeBytes(of: &six) { unsafe Bytes($0) }
    }
    return nil
}
