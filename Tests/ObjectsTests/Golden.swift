import Basics
import Glibc
import Testing

/// Pairs of the same object as JSON and protobuf, made by upstream.
enum Golden {
    static let names = [
        "core.v1.Namespace", "core.v1.Node", "core.v1.Pod", "core.v1.ConfigMap", "core.v1.Secret",
        "core.v1.Service", "core.v1.ServiceAccount", "core.v1.Event", "core.v1.Binding",
        "core.v1.DeleteOptions", "core.v1.Status", "coordination.k8s.io.v1.Lease",
        "apps.v1.Deployment", "apps.v1.ReplicaSet", "autoscaling.v1.Scale",
    ]

    static func read(_ name: String) throws -> Bytes {
        let folder = String(#filePath.prefix(through: try #require(#filePath.lastIndex(of: "/"))))
        return try readFile(folder + "Golden/" + name)
    }

    private static func readFile(_ path: String) throws -> Bytes {
        let descriptor = unsafe open(path, O_RDONLY)
        try #require(descriptor >= 0, "\(path)")
        defer { close(descriptor) }
        var out = Bytes()
        var buffer = Bytes(repeating: 0, count: 65536)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { raw in
                unsafe Glibc.read(descriptor, raw.baseAddress, raw.count)
            }
            try #require(count >= 0)
            if count == 0 { return out }
            out += buffer[..<count]
        }
    }
}
