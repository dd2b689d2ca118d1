import Documents
import Basics
import Keyspace
import Objects

/// Gives Services their cluster addresses and node ports. Uniqueness holds by a guard of the same
/// commit: no Service changed since the ones in use were read.
struct ServiceAllocator: Sendable {
    /// First address and number of addresses of the service range.
    let base: UInt32
    let count: UInt32
    static let nodePorts: ClosedRange<Int64> = 30000...32767

    /// `cidr` is IPv4, such as `10.96.0.0/16`; nil when it is not.
    init?(cidr: String) {
        let parts = cidr.split(separator: "/")
        guard parts.count == 2, let address = Self.parse(String(parts[0])),
            let bits = UInt32(parts[1]), (12...30).contains(bits)
        else { return nil }
        count = 1 << (32 - bits)
        base = address & ~(count - 1)
    }

    /// The first address, which belongs to `default/kubernetes`.
    var apiAddress: String { Self.text(base + 1) }

    func allocate(
        _ json: inout JSON, old: JSON?, _ service: ResourceService
    ) async throws(APIError) -> [CommitRequest.Guard] {
        let spec = json["spec"] ?? [:]
        let type = spec["type"]?.stringValue ?? "ClusterIP"
        guard type != "ExternalName" else { return [] }
        let given = spec["clusterIP"]?.stringValue ?? ""
        let wantsPorts = type == "NodePort" || type == "LoadBalancer"
        let needsAddress = given.isEmpty
        let isNewAddress = given != "None" && given != old?.path("spec", "clusterIP")?.stringValue
        let needsPorts = wantsPorts && spec["ports"] != old?.path("spec", "ports")
        guard needsAddress || isNewAddress || needsPorts else { return [] }
        let prefix = ResourceKind.service.prefix()
        let response = try await service.range(RangeRequest(prefix))
        let name = json.path("metadata", "name")?.stringValue ?? ""
        let uid = json.path("metadata", "uid")?.stringValue
        var used = InUse()
        for keyValue in response.keyValues {
            let other = try StoredItem(kind: .service, keyValue: keyValue).object()
            if other.uid != uid { used.add(other.spec) }
        }
        if needsAddress {
            let address = try freeAddress(used, name)
            json.set(.string(address), at: "spec", "clusterIP")
            json.set([.string(address)], at: "spec", "clusterIPs")
        } else if isNewAddress {
            try check(given, used, name)
            if json.path("spec", "clusterIPs") == nil {
                json.set([.string(given)], at: "spec", "clusterIPs")
            }
        }
        if wantsPorts { try allocatePorts(&json, used, name) }
        return [.unchanged(prefix, since: response.revision)]
    }

    private struct InUse {
        var addresses: Set<String> = []
        var ports: Set<Int64> = []

        mutating func add(_ spec: JSON) {
            if let address = spec["clusterIP"]?.stringValue { addresses.insert(address) }
            for port in spec["ports"]?.elements ?? [] {
                if let node = port["nodePort"]?.intValue { ports.insert(node) }
            }
        }
    }

    private func freeAddress(_ used: InUse, _ name: String) throws(APIError) -> String {
        // The lower part is left to addresses that people choose, as upstream does.
        let reserved = min(max(16, count / 16), 256)
        let start = UInt32.random(in: 0..<(count - reserved))
        for step in 0..<count {
            let offset = (reserved + (start + step) % (count - reserved)) % count
            guard offset > 1, offset < count - 1 else { continue }
            let address = Self.text(base + offset)
            if !used.addresses.contains(address) { return address }
        }
        throw .internalError("failed to allocate a serviceIP: range is full")
    }

    private func check(_ address: String, _ used: InUse, _ name: String) throws(APIError) {
        guard let number = Self.parse(address), number > base, number < base + count - 1 else {
            throw .invalid(
                .service, name,
                [
                    .invalid(
                        "spec.clusterIPs", [.string(address)],
                        "failed to allocate IP \(address): the provided IP is not in the valid "
                            + "range. The range of valid IPs is \(Self.text(base))/\(prefixBits)")
                ])
        }
        if used.addresses.contains(address) {
            throw .invalid(
                .service, name,
                [
                    .invalid(
                        "spec.clusterIPs", [.string(address)],
                        "failed to allocate IP \(address): provided IP is already allocated")
                ])
        }
    }

    private var prefixBits: Int { 32 - count.trailingZeroBitCount }

    private func allocatePorts(
        _ json: inout JSON, _ used: InUse, _ name: String
    ) throws(APIError) {
        var taken = used.ports
        var ports = json.path("spec", "ports")?.elements ?? []
        for index in ports.indices {
            let node = ports[index]["nodePort"]?.intValue ?? 0
            if node == 0 { continue }
            if taken.contains(node) {
                throw .invalid(
                    .service, name,
                    [
                        .invalid(
                            "spec.ports[\(index)].nodePort", .integer(node),
                            "provided port is already allocated")
                    ])
            }
            taken.insert(node)
        }
        for index in ports.indices where (ports[index]["nodePort"]?.intValue ?? 0) == 0 {
            let start = Int64.random(in: 0..<Int64(Self.nodePorts.count))
            guard
                let port = (0..<Int64(Self.nodePorts.count)).lazy
                    .map({ Self.nodePorts.lowerBound + (start + $0) % Int64(Self.nodePorts.count) })
                    .first(where: { !taken.contains($0) })
            else { throw .internalError("failed to allocate a nodePort: range is full") }
            taken.insert(port)
            ports[index]["nodePort"] = .integer(port)
        }
        json.set(.array(ports), at: "spec", "ports")
    }

    private static func parse(_ text: String) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard let byte = UInt8(part) else { return nil }
            value = value << 8 | UInt32(byte)
        }
        return value
    }

    private static func text(_ address: UInt32) -> String {
        [24, 16, 8, 0].map { String(address >> UInt32($0) & 255) }.joined(separator: ".")
    }
}
