import Basics
import ReplicaCore

/// Keeps a data directory of `martlet up` in step with changes of the members.
struct LocalReplica {
    private let directory: DataDirectory

    init(_ directory: DataDirectory) {
        self.directory = directory
    }

    /// Where a replica that listens for peers here serves clients: one port below, as `martlet up`
    /// lays it out.
    func clientURLs(peerHost: String, peerPort: Int) throws -> [String] {
        let scheme = try directory.readLayout().isPlaintext ? "http" : "https"
        return ["\(scheme)://\(peerHost):\(peerPort - 1)"]
    }

    /// Lays out the next replica: its ports and certificates.
    func layOut(_ member: ReplicaMember, id: String) throws {
        var layout = try directory.readLayout()
        guard !layout.replicas.contains(where: { $0.name == member.name }) else { return }
        let number = layout.replicas.count + 1
        guard member.name == "replica-\(number)", let id = UInt64(id, radix: 16) else {
            print("\(directory.path) is left as it is: its next replica is replica-\(number)")
            return
        }
        let apiPort = (layout.replicas.map(\.apiPort).max() ?? 0) + 1
        layout.replicas.append(
            ClusterLayout.Replica(
                number: number, memberID: id, host: member.peerHost,
                storePort: member.peerPort - 1, apiPort: apiPort))
        try ClusterPKI(directory, now: .now()).issueAll(for: layout, now: .now())
        try directory.write(layout)
        print("run it: martlet server --data-dir \(directory.path) --replica \(number)")
    }

    /// The last replica goes; others keep their place, because replicas are counted.
    func forget(_ name: String) throws {
        var layout = try directory.readLayout()
        guard layout.replicas.count > 1, layout.replicas.last?.name == name else { return }
        layout.replicas.removeLast()
        try directory.write(layout)
    }
}
