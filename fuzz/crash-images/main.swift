import Basics
import CRecorder
import Glibc
import ReplicaCore

/// A line on standard output, at once.
func say(_ text: String) {
    let bytes = Bytes("\(text)\n".utf8)
    _ = unsafe bytes.withUnsafeBytes { unsafe write(STDOUT_FILENO, $0.baseAddress, $0.count) }
}

/// Records a replica at work and tries power cuts: `crash-images [--images N] [--seed S]
/// [--writes N] [--directory DIR]`. Exit 0 if every image opens and no acknowledged write is lost.
struct CrashImages {
    var images = 20_000
    var seed: UInt64 = 1
    var writes = 240
    var directory = "/dev/shm/martlet-crash-images-\(getpid())"

    private var tried = 0
    private var exhaustive = 0
    private var lost = 0
    private var unopenable = 0

    init(_ arguments: [String]) {
        var rest = arguments.dropFirst()
        while let flag = rest.popFirst() {
            let value = rest.popFirst() ?? ""
            switch (flag, Int(value)) {
            case ("--images", let number?): images = number
            case ("--seed", let number?): seed = UInt64(number)
            case ("--writes", let number?): writes = number
            case ("--directory", _): directory = value
            default:
                say("usage: crash-images [--images N] [--seed S] [--writes N] [--directory DIR]")
                exit(2)
            }
        }
    }

    mutating func run() throws(ReplicaFailure) -> Int32 {
        for path in ["", "/run", "/image"] { try FileSystem.makeDirectory(directory + path) }
        let boot = directory + "/boot"
        unsafe setenv("MARTLET_BOOT_ID_FILE", boot, 1)
        try FileSystem.replace(boot, Bytes("first\n".utf8))
        unsafe recorder_start(directory + "/run")
        var workload = Workload(seed: seed, writes: writes)
        try workload.run(in: directory + "/run", boot: boot)
        recorder_stop()
        // A power cut: the machine starts anew.
        try FileSystem.replace(boot, Bytes("last\n".utf8))
        try tryAll(workload)
        for path in ["/run", "/image", ""] { Self.removeAll(directory + path) }
        say(
            "\(tried) images of \(recorder_count()) operations and \(writes) writes"
                + " (\(exhaustive) of all subsets of few sectors), seed \(seed):"
                + " \(lost) lost, \(unopenable) unopenable")
        return lost + unopenable == 0 ? 0 : 1
    }

    private mutating func tryAll(_ workload: Workload) throws(ReplicaFailure) {
        var recording = Recording()
        var random = SeededRandom(seed: seed &+ 99)
        while recording.position < recording.count {
            recording.advance()
            let open = recording.openSectors()
            if open > 0, open <= 7 {
                for subset in 0..<(UInt64(1) << UInt64(open)) {
                    exhaustive += 1
                    let choice = Choice(
                        subset: subset, random: SeededRandom(seed: random.next()))
                    try tryOne(recording, workload, choice)
                }
            }
            // As many by chance as bring the whole to what was asked for.
            let left = max(0, images - tried)
            let rest = recording.count - recording.position + 1
            for _ in 0..<(left + rest - 1) / rest {
                try tryOne(recording, workload, Choice(random: SeededRandom(seed: random.next())))
            }
        }
    }

    private mutating func tryOne(
        _ recording: Recording, _ workload: Workload, _ choice: Choice
    ) throws(ReplicaFailure) {
        tried += 1
        let path = directory + "/image"
        Self.removeAll(path)
        var choice = choice
        try lay(recording.root, at: path, &choice)
        do throws(ReplicaFailure) {
            let replica = try SoloReplica(directory: path, isNewCluster: true)
            defer { replica.abandon() }
            try replica.becomeReady()
            guard let keyspace = replica.keyspace else {
                throw ReplicaFailure(nil, "there is no keyspace")
            }
            if let reason = workload.check(keyspace, acknowledged: recording.acknowledged) {
                lost += 1
                report(recording, reason)
            }
        } catch {
            unopenable += 1
            report(recording, "\(error)")
        }
    }

    private func report(_ recording: Recording, _ reason: String) {
        guard lost + unopenable <= 10 else { return }
        say("image \(tried), after operation \(recording.position): \(reason)")
    }

    private func lay(
        _ node: DiskNode, at path: String, _ choice: inout Choice
    ) throws(ReplicaFailure) {
        try FileSystem.makeDirectory(path)
        for (name, child) in node.survivors(&choice) {
            let place = path + "/" + name
            if child.isDirectory {
                try lay(child, at: place, &choice)
                continue
            }
            let descriptor = unsafe open(place, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
            guard descriptor >= 0 else { throw FileSystem.failure("cannot make", place) }
            defer { close(descriptor) }
            try FileSystem.write(child.image(&choice), to: descriptor, place)
        }
    }

    /// A replica's directory has two levels.
    private static func removeAll(_ path: String) {
        for name in (try? FileSystem.names(in: path)) ?? [] {
            let place = path + "/" + name
            if (try? FileSystem.names(in: place)) != nil { try? FileSystem.removeTree(place) }
            try? FileSystem.remove(place)
        }
        try? FileSystem.removeTree(path)
    }
}

var program = CrashImages(CommandLine.arguments)
do {
    exit(try program.run())
} catch {
    say("crash-images: \(error)")
    exit(2)
}
