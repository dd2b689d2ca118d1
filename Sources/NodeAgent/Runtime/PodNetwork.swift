import Basics
import CMartlet

/// Gives pods their addresses.
///
/// As root: a bridge for the cluster on this host, one /20 out of 10.64.0.0/10 chosen by the
/// cluster's id, and a /24 of it for each node. Otherwise: addresses out of 127.64.0.0/10.
struct PodNetwork: Sendable {
    let isIsolated: Bool
    /// The first address of the node's /24, host byte order.
    let base: UInt32
    let bridge: String
    /// Host ends of this node's pods are named `linkPrefix` and two hexadecimal digits.
    let linkPrefix: String
    /// Last byte of the address that was given out last; they go round.
    private var last: UInt32 = 1
    private var taken: Set<UInt32> = []

    static let prefixLength: Int32 = 20

    /// Chooses the range; with isolation makes the bridge.
    init(clusterID: String, nodeName: String, isIsolated: Bool) throws(RuntimeError) {
        self.isIsolated = isIsolated
        let hash = Self.hash(clusterID)
        let tag = String(hash & 0xffffff | 0x1000000, radix: 16).dropFirst()
        let slot = Self.slot(nodeName)
        bridge = "mt\(tag)"
        linkPrefix = "mt\(tag)" + String(slot, radix: 16) + "-"
        guard isIsolated else {
            base = 0x7f40_0000 | UInt32(hash & 0x3ff) << 12 | slot << 8
            return
        }
        var range: UInt32 = 0
        let present = unsafe martlet_net_address(bridge)
        if present != 0 {
            range = present & 0xffff_f000
        } else {
            for attempt in 0..<64 as Range<UInt64> {
                range = 0x0a40_0000 | UInt32((hash &+ attempt &* 37) & 0x3ff) << 12
                let overlaps = unsafe martlet_net_overlaps(range, Self.prefixLength, bridge)
                if !overlaps { break }
            }
        }
        base = range | slot << 8
        let error = unsafe martlet_net_bridge(bridge, base | 1, Self.prefixLength)
        guard error == 0 else {
            throw RuntimeError(
                "NetworkNotReady", "making the bridge \(bridge): \(errnoText(error))")
        }
    }

    var gateway: UInt32 { base | 1 }

    /// Removes host ends that no pod of `addresses` owns.
    func removeLeftovers(keeping addresses: [UInt32]) {
        guard isIsolated else { return }
        let kept = addresses.map { linkName($0) }
        var buffer = [CChar](repeating: 0, count: 65_536)
        guard unsafe martlet_net_list(linkPrefix, &buffer, buffer.count) == 0 else { return }
        let text = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
        for name in text.split(separator: "\n").map(String.init) where !kept.contains(name) {
            unsafe martlet_net_delete(name)
        }
    }

    /// Removes the bridge when no pod of any node is on it.
    func removeBridge() {
        guard isIsolated else { return }
        var buffer = [CChar](repeating: 0, count: 65_536)
        guard unsafe martlet_net_list(bridge, &buffer, buffer.count) == 0 else { return }
        let text = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
        if text == bridge + "\n" { unsafe martlet_net_delete(bridge) }
    }

    /// An address that was free the longest; nil when all are in use.
    mutating func allocate() -> UInt32? {
        for _ in 0..<253 {
            last = last >= 254 ? 2 : last + 1
            if taken.insert(base | last).inserted { return base | last }
        }
        return nil
    }

    /// Marks the address of a pod that was found running.
    mutating func claim(_ address: UInt32) {
        taken.insert(address)
        if address & 0xffff_ff00 == base { last = max(last, address & 0xff) }
    }

    mutating func release(_ address: UInt32) {
        taken.remove(address)
    }

    func linkName(_ address: UInt32) -> String {
        linkPrefix + String(address & 0xff | 0x100, radix: 16).dropFirst()
    }

    static func text(_ address: UInt32) -> String {
        [24, 16, 8, 0].map { String(address >> UInt32($0) & 0xff) }.joined(separator: ".")
    }

    static func parse(_ text: String) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            .compactMap { UInt8($0) }
        guard parts.count == 4 else { return nil }
        return parts.reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// FNV-1a; only has to be the same in every process.
    static func hash(_ text: String) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        return hash ^ hash >> 32
    }

    /// Which of the 16 parts is the node's: by the number at the end of its name.
    static func slot(_ nodeName: String) -> UInt32 {
        let digits = String(nodeName.reversed().prefix { $0.isNumber }.reversed())
        if let number = UInt32(digits) { return number % 16 }
        return UInt32(hash(nodeName) % 16)
    }
}
