import Basics
import Glibc

/// The folder of a cluster that is to be: laid out beside its place and moved there whole, so that
/// an error leaves nothing behind.
struct NewClusterPlace {
    private let target: DataDirectory

    /// The folder is absent or empty.
    init(_ path: String) throws(CommandError) {
        target = DataDirectory(path)
        if Files.exists(target.path), try !Files.list(target.path).isEmpty {
            throw CommandError("\(target.path) is not empty")
        }
    }

    /// - Parameter prepare: answers the path of the snapshot that the replicas begin with, and
    ///   what it knows of it; what is made on the way goes into an empty folder.
    func lay<Prepared>(
        replicas: Int, _ prepare: (_ scratch: String) throws -> (path: String, Prepared)
    ) throws -> Prepared {
        let staging = DataDirectory(target.path + ".restoring")
        let scratch = target.path + ".scratch"
        for path in [staging.path, scratch] { Files.removeTree(path) }
        defer { for path in [staging.path, scratch] { Files.removeTree(path) } }
        try Files.makeDirectory(scratch, mode: 0o700)
        let (path, prepared) = try prepare(scratch)
        try ClusterSeed.lay(snapshot: path, into: staging, replicas: replicas)
        unsafe rmdir(target.path)
        guard unsafe rename(staging.path, target.path) == 0 else {
            throw Files.failure("cannot move into place", target.path)
        }
        return prepared
    }
}
