import ArgumentParser
import Backup
import Basics
import Glibc
import Keyspace
import Raft
import WriteAheadLog

struct StoreRecover: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recover", abstract: "Make a new cluster of one surviving replica.",
        discussion: """
            For when a majority of the replicas is gone for good and nothing runs. The old folders \
            are set aside, never removed. Writes that only the lost replicas had are lost, also \
            when they were acknowledged: a snapshot or an archive may have more.
            """)

    @Option(help: "Folder of the cluster.") var dataDir = ".martlet"
    @Flag(help: "Yes: the lost replicas must never come back.") var forceNewCluster = false
    @Option(help: "Number of the surviving replica; by default the one that got furthest.")
    var replica: Int?
    @Option(help: "Replicas of the new cluster: 1, 3 or 5; by default as many as before.")
    var replicas: Int?
    @Flag(help: "Leave out entries that the survivor does not know to be committed.")
    var committedOnly = false
    @Option(help: "Raise the revision by so much, so that none is used twice.")
    var bumpRevision: Int64 = 0

    func validate() throws {
        if let replicas, ![1, 3, 5].contains(replicas) {
            throw ValidationError("--replicas is 1, 3 or 5, not \(replicas)")
        }
        guard bumpRevision >= 0, bumpRevision <= 1 << 40 else {
            throw ValidationError("--bump-revision is 0 to \(1 << 40)")
        }
    }

    func run() throws {
        do {
            try recover()
        } catch let error as CommandError {
            reportError(error)
            throw ExitCode(error.exitCode)
        } catch let error as BackupError {
            reportError(CommandError(error.message))
            throw ExitCode(1)
        }
    }

    private func recover() throws {
        guard forceNewCluster else {
            throw CommandError(
                "this makes a new cluster of one replica, and what only the lost replicas had is"
                    + " gone for good; add --force-new-cluster to do it")
        }
        let directory = DataDirectory(dataDir)
        let old = try directory.readLayout()
        let lock = try DirectoryLock(path: directory.lockPath)
        defer { lock.release() }
        let survivor = try chooseSurvivor(directory, old)
        let scratch = directory.path + "/recovering"
        Files.removeTree(scratch)
        defer { Files.removeTree(scratch) }
        try Files.makeDirectory(scratch, mode: 0o700)
        let recovered = try Recovery(
            replica: directory.replicaPath(survivor), committedOnly: committedOnly
        ).run(scratch: scratch)
        let snapshot = try bumped(recovered, scratch)
        let layout = newLayout(old)
        let staging = DataDirectory(scratch + "/cluster")
        try Files.makeDirectory(staging.path, mode: 0o700)
        try ClusterSeed.lay(snapshot: snapshot.path, into: staging, layout: layout)
        let aside = try putInPlace(staging, directory, old, layout)
        report(recovered, survivor, layout, aside, revision: snapshot.revision)
    }

    private func bumped(
        _ recovered: Recovery.Recovered, _ scratch: String
    ) throws -> (path: String, revision: Int64) {
        guard bumpRevision > 0 else { return (recovered.path, recovered.header.revision) }
        var restore = Restore(source: recovered.path, archives: [], goal: .snapshot)
        restore.bumpRevision = bumpRevision
        restore.marksCompacted = true
        let folder = scratch + "/bumped"
        try Files.makeDirectory(folder, mode: 0o700)
        let prepared = try restore.prepare(scratch: folder)
        return (prepared.path, prepared.header.revision)
    }

    /// The replica whose log goes furthest.
    private func chooseSurvivor(
        _ directory: DataDirectory, _ layout: ClusterLayout
    ) throws -> Int {
        if let replica {
            _ = try layout.replica(replica)
            return replica
        }
        var best: (term: UInt64, index: UInt64, number: Int)?
        var whole = 0
        var notes: [String] = []
        for replica in layout.replicas {
            let path = directory.replicaPath(replica.number)
            guard Files.exists(path + "/member"), Files.isFolder(path + "/log") else { continue }
            do {
                let log = try ReplicaLog.scan(path + "/log", .stop)
                let last = log.entries.last
                let (term, index) = (last?.term ?? log.mark.term, last?.index ?? log.mark.index)
                whole += 1
                if best.map({ ($0.term, $0.index) < (term, index) }) ?? true {
                    best = (term, index, replica.number)
                }
            } catch {
                notes.append("\(replica.name): \(error)")
            }
        }
        guard let best else {
            throw CommandError(
                (["no replica's folder in \(directory.path) can be read"] + notes)
                    .joined(separator: "; "))
        }
        guard whole <= layout.replicas.count / 2 else {
            throw CommandError(
                "\(whole) of \(layout.replicas.count) replicas are here, a majority: `martlet up`"
                    + " starts the cluster without loss; --replica N recovers from one all the same"
            )
        }
        return best.number
    }

    private func newLayout(_ old: ClusterLayout) -> ClusterLayout {
        let count = replicas ?? old.replicas.count
        let hosts = old.replicas.prefix(count).map(\.host)
        var shape = ClusterShape(
            replicaCount: count, hosts: hosts.count == count ? hosts : [],
            nodeCount: old.nodes.count, isStoreOnly: old.isStoreOnly, isPlaintext: old.isPlaintext)
        if let first = old.replicas.first {
            shape.storePort = first.storePort
            shape.apiPort = first.apiPort
        }
        var random = SystemRandomNumberGenerator()
        return ClusterLayout.new(shape, random: &random)
    }

    /// Sets the old folders aside and moves the new ones in; the layout comes last.
    private func putInPlace(
        _ staging: DataDirectory, _ directory: DataDirectory, _ old: ClusterLayout,
        _ new: ClusterLayout
    ) throws -> String {
        var aside = directory.path + "/before-recover"
        var number = 1
        while Files.exists(aside) {
            number += 1
            aside = directory.path + "/before-recover-\(number)"
        }
        try Files.makeDirectory(aside, mode: 0o700)
        try Files.write(aside + "/cluster.json", try Files.read(directory.layoutPath), mode: 0o600)
        for replica in old.replicas where Files.exists(directory.replicaPath(replica.number)) {
            try move(directory.replicaPath(replica.number), aside + "/" + replica.name)
        }
        for replica in new.replicas {
            try move(
                staging.replicaPath(replica.number), directory.replicaPath(replica.number))
        }
        var bootstrapped = new
        bootstrapped.isBootstrapped = true
        try directory.write(bootstrapped)
        return aside
    }

    private func move(_ from: String, _ to: String) throws(CommandError) {
        guard unsafe rename(from, to) == 0 else {
            throw Files.failure("cannot move \(from) to", to)
        }
    }

    private func report(
        _ recovered: Recovery.Recovered, _ survivor: Int, _ layout: ClusterLayout, _ aside: String,
        revision: Int64
    ) {
        for note in recovered.notes { print("note: \(note)") }
        print("from \(recovered.base) and the log of replica-\(survivor):")
        print("  \(recovered.committed) entries that it knew to be committed: kept")
        if committedOnly {
            print("  entries that it did not know to be committed: left out")
        } else {
            print("  \(recovered.uncertain) entries that may or may not have been committed: kept")
        }
        print("  writes that never reached replica-\(survivor): lost, also if acknowledged")
        print("the old folders are in \(aside)")
        print(
            "recovered revision \(revision) for \(layout.replicas.count) replicas; next:"
                + " martlet up --data-dir \(dataDir) --replicas \(layout.replicas.count)")
    }
}
