// swift-tools-version: 6.2
import PackageDescription

// The coverage-guided fuzzers, in a package of their own because all of it is built with the
// sanitizers. The sources are the project's, through links; `tools/fuzz` builds and runs them.

let house: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

func floor(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: house)
}

let package = Package(
    name: "martlet-fuzz",
    targets: [
        .systemLibrary(name: "CLMDB", pkgConfig: "lmdb"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib"),
        .target(name: "CMartlet"),
        floor("Basics", ["CMartlet"]),
        floor("Raft", ["Basics"]),
        floor("LMDB", ["CLMDB", "CMartlet", "Basics"]),
        floor("Bolt", ["Basics"]),
        floor("WriteAheadLog", ["CMartlet", "Basics", "Raft"]),
        floor("Keyspace", ["CMartlet", "CZlib", "Basics", "LMDB"]),
        floor("EtcdMessages", ["Basics", "Keyspace"]),
        floor("ReplicaCore", ["CMartlet", "Basics", "Raft", "WriteAheadLog", "LMDB", "Keyspace"]),
        floor("Backup", ["Basics", "Raft", "WriteAheadLog", "Keyspace"]),
        floor(
            "FuzzTargets",
            [
                "Basics", "Raft", "LMDB", "Bolt", "WriteAheadLog", "Keyspace", "ReplicaCore",
                "Backup", "EtcdMessages",
            ]),
        .target(name: "CFuzzer"),
        .executableTarget(
            name: "fuzz-decoders", dependencies: ["Basics", "FuzzTargets", "CFuzzer"],
            swiftSettings: house,
            // The default linker fails on the sanitizers' sections.
            linkerSettings: [.unsafeFlags(["-use-ld=lld"])]),
    ]
)
