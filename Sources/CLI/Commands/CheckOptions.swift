import ArgumentParser

/// How replicas look after themselves, for `martlet up` and `martlet server`.
struct CheckOptions: ParsableArguments {
    /// etcd's name; there it is off by default.
    @Option(help: "Compare the replicas' states so often: 20s, 10m; 0s for never.")
    var corruptCheckTime = "20s"

    func validate() throws {
        guard corruptCheckMilliseconds != nil else {
            throw ValidationError("--corrupt-check-time is a time as 20s or 10m, or 0s for never")
        }
    }

    var corruptCheckMilliseconds: UInt64? {
        corruptCheckTime == "0s" ? 0 : SnapshotOptions.seconds(corruptCheckTime).map { $0 * 1000 }
    }

    /// The same flags for a child.
    var arguments: [String] { ["--corrupt-check-time", corruptCheckTime] }
}
