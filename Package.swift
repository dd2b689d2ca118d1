// swift-tools-version: 6.2
import PackageDescription

/// Bugs to put back, for `tools/mutants` alone; no other build has them (docs/MUTANTS.md).
let mutants: [SwiftSetting] =
    Context.environment["MARTLET_MUTANTS"] == "1" ? [.define("MUTANTS")] : []

/// For speed: docs/decisions/0012-compiler-flags.md. `tools/mutants` and `tools/fuzz` build
/// without, and so with the checks of exclusive access at run time.
let isFast =
    Context.environment["MARTLET_MUTANTS"] != "1" && Context.environment["MARTLET_CHECKED"] != "1"
let fast: [SwiftSetting] =
    isFast
    ? [.unsafeFlags(["-cross-module-optimization", "-enforce-exclusivity=unchecked"])] : []

/// Settings of every Swift target: Swift 6 mode, and warnings are errors.
let house: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .strictMemorySafety(),
        .treatAllWarnings(as: .error),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ] + mutants + fast

// Products of the packages that we depend on.
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let x509: Target.Dependency = .product(name: "X509", package: "swift-certificates")
let asn1: Target.Dependency = .product(name: "SwiftASN1", package: "swift-asn1")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let cryptoExtras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let arguments: Target.Dependency = .product(
    name: "ArgumentParser", package: "swift-argument-parser")

/// One library target of a floor; a target imports only lower floors (docs/ARCHITECTURE.md).
func floor(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: house)
}

/// The tests of one target.
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name + "Tests", dependencies: dependencies, swiftSettings: house)
}

let package = Package(
    name: "martlet",
    products: [
        .executable(name: "martlet", targets: ["martlet"]),
        .executable(name: "martlet-dump", targets: ["martlet-dump"]),
        .executable(name: "martlet-shim", targets: ["martlet-shim"]),
        .executable(name: "raft-fuzz", targets: ["raft-fuzz"]),
        .executable(name: "store-load", targets: ["store-load"]),
        .executable(name: "crash-images", targets: ["crash-images"]),
        .executable(name: "store-bench", targets: ["store-bench"]),
        .executable(name: "keyspace-bench", targets: ["keyspace-bench"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-certificates.git", from: "1.21.0"),
        .package(url: "https://github.com/apple/swift-asn1.git", from: "1.7.0"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.0"),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.0"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.0"),
    ],
    targets: [
        // Floor 0
        .systemLibrary(name: "CLMDB", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(
            name: "CNGHTTP2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
        // Linked, and so in place of the C library's allocator: docs/decisions/0010-allocator.md.
        .systemLibrary(
            name: "CJemalloc", pkgConfig: "jemalloc", providers: [.apt(["libjemalloc-dev"])]),
        // Of glibc's development files: `libcrypt-dev` comes with `libc6-dev`.
        .systemLibrary(name: "CCrypt"),
        .target(name: "CMartlet"),
        floor("Basics", ["CMartlet"]),
        // Floor 1
        floor("Raft", ["Basics"]),
        floor("LMDB", ["CLMDB", "CMartlet", "Basics"]),
        floor("Documents", ["Basics"]),
        floor("Bolt", ["Basics"]),
        // Floor 2
        floor("WriteAheadLog", ["CMartlet", "Basics", "Raft"]),
        floor("Keyspace", ["CMartlet", "CZlib", "Basics", "LMDB"]),
        // Floor 2.5
        floor("ReplicaCore", ["Basics", "Raft", "WriteAheadLog", "Keyspace"]),
        floor("Backup", ["Basics", "Raft", "WriteAheadLog", "Keyspace"]),
        // Floor 3
        floor(
            "HTTP",
            ["CNGHTTP2", "Basics", nioCore, nioPosix, nioHTTP1, nioTLS, nioSSL]),
        floor("EtcdMessages", ["Basics", "Keyspace"]),
        floor(
            "Replica",
            [
                "CMartlet", "Basics", "Raft", "WriteAheadLog", "LMDB", "Keyspace", "ReplicaCore",
                "HTTP", nioCore, nioPosix, nioTLS, nioSSL,
            ]),
        // Floor 4
        floor(
            "Store",
            ["Basics", "Keyspace", "ReplicaCore", "HTTP", "EtcdMessages", "Replica", nioCore]),
        // Floor 5
        floor(
            "EtcdAPI",
            [
                "CCrypt", "Basics", "Documents", "Keyspace", "ReplicaCore", "HTTP", "EtcdMessages",
                "Store", "Bolt", nioCore, nioPosix, crypto, cryptoExtras,
            ]),
        floor("PKI", ["Basics", x509, asn1, crypto]),
        floor("Objects", ["Documents", "CZlib", "Basics", "Keyspace", "Store", yams]),
        // Floor 6
        floor(
            "APIServer", ["Basics", "HTTP", "Keyspace", "Store", "Documents", "Objects", nioCore]),
        floor("Informers", ["Basics", "Keyspace", "Store", "Documents", "Objects"]),
        // Floor 7
        floor("Controllers", ["Basics", "Keyspace", "Store", "Documents", "Objects", "Informers"]),
        floor("Scheduler", ["Basics", "Keyspace", "Store", "Documents", "Objects", "Informers"]),
        floor(
            "NodeAgent",
            [
                "CMartlet", "Basics", "HTTP", "Keyspace", "Store", "Documents", "Objects",
                "Informers", nioCore,
                nioPosix, nioSSL,
            ]),
        // C only: otherwise every pod's shim would load the Swift runtime.
        .executableTarget(
            name: "martlet-shim",
            linkerSettings: [.unsafeFlags(["-static-stdlib", "-nostartfiles"])]),
        // Floor 8
        floor(
            "CLI",
            [
                "CMartlet", "Basics", "Raft", "WriteAheadLog", "LMDB", "Keyspace", "HTTP",
                "ReplicaCore", "Replica", "EtcdMessages", "Store", "EtcdAPI", "PKI", "Documents",
                "Objects",
                "APIServer", "Informers", "Backup",
                "Controllers", "Scheduler", "NodeAgent", arguments, nioCore, nioPosix, nioSSL,
            ]),
        .executableTarget(
            name: "martlet", dependencies: ["CLI", "CJemalloc"], swiftSettings: house),
        .executableTarget(
            name: "martlet-dump",
            dependencies: [
                "CMartlet", "Basics", "Raft", "WriteAheadLog", "LMDB", "Keyspace", "Backup",
                "Store", "Documents", "Objects", arguments,
            ], path: "tools/martlet-dump", swiftSettings: house),
        .executableTarget(
            name: "store-load",
            dependencies: [
                "Basics", "Keyspace", "HTTP", "Store", "Simulator", "StoreJudgement", arguments,
                nioCore, nioPosix,
            ], path: "tools/store-load", swiftSettings: house),
        // Apart from the program that loads, so that tests can give it histories made by hand.
        .target(
            name: "StoreJudgement", dependencies: ["Basics", "Keyspace", "Simulator"],
            path: "tools/store-judgement", swiftSettings: house),
        .executableTarget(
            name: "store-bench",
            dependencies: [
                "Basics", "Keyspace", "HTTP", "EtcdMessages", arguments, nioCore, nioPosix,
            ], path: "tools/store-bench", swiftSettings: house),
        .executableTarget(
            name: "keyspace-bench", dependencies: ["Basics", "Keyspace", arguments],
            path: "tools/keyspace-bench", swiftSettings: house),
        .target(
            name: "Simulator",
            dependencies: [
                "CMartlet", "Basics", "Raft", "WriteAheadLog", "LMDB", "Keyspace", "ReplicaCore",
            ], path: "fuzz/Simulator", swiftSettings: house),
        // Replaces calls of the C library in the one program that links it.
        .target(name: "CRecorder", path: "fuzz/CRecorder"),
        .executableTarget(
            name: "crash-images",
            dependencies: [
                "CRecorder", "Basics", "Raft", "WriteAheadLog", "Keyspace", "ReplicaCore",
            ], path: "fuzz/crash-images", swiftSettings: house),
        .executableTarget(
            name: "raft-fuzz", dependencies: ["Basics", "Simulator", "CJemalloc", arguments],
            path: "fuzz/raft-fuzz", swiftSettings: house),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "Basics", "Raft", "LMDB", "Bolt", "WriteAheadLog", "Keyspace", "ReplicaCore",
                "Backup", "EtcdMessages",
            ], path: "fuzz/Targets", swiftSettings: house),
        .target(
            name: "TestSupport", dependencies: ["Basics", "Keyspace", "Store"],
            path: "Tests/TestSupport", swiftSettings: house),
        // Tests: one target each; Tests/EndToEnd drives the built binaries from outside.
        tests("Basics", ["Basics"]),
        tests("Raft", ["Raft", "Basics"]),
        tests("LMDB", ["LMDB", "Basics"]),
        tests("WriteAheadLog", ["WriteAheadLog", "Basics", "Raft"]),
        tests("Keyspace", ["Keyspace", "TestSupport", "Basics", "LMDB"]),
        tests(
            "ReplicaCore",
            ["ReplicaCore", "TestSupport", "Basics", "Raft", "WriteAheadLog", "Keyspace"]),
        tests(
            "Backup",
            ["Backup", "TestSupport", "Basics", "Raft", "WriteAheadLog", "Keyspace"]),
        tests(
            "HTTP",
            ["HTTP", "TestSupport", "Basics", "PKI", nioCore, nioPosix, nioEmbedded, nioSSL]),
        tests("EtcdMessages", ["EtcdMessages", "Basics", "Keyspace"]),
        tests(
            "Replica",
            [
                "Replica", "ReplicaCore", "Basics", "Raft", "WriteAheadLog", "LMDB", "Keyspace",
                "HTTP", "PKI", "TestSupport",
                nioCore, nioPosix, nioEmbedded, nioSSL,
            ]),
        tests(
            "EtcdAPI",
            [
                "EtcdAPI", "TestSupport", "Basics", "Keyspace", "HTTP", "EtcdMessages", "Store",
                "Bolt", nioCore, nioPosix, nioEmbedded, crypto, cryptoExtras,
            ]),
        tests("Documents", ["Documents", "Basics"]),
        tests("Bolt", ["Bolt", "Basics"]),
        tests("PKI", ["PKI", "Basics"]),
        .testTarget(
            name: "ObjectsTests",
            dependencies: ["Documents", "Objects", "Basics", "Keyspace", "Store"],
            exclude: ["Golden"], swiftSettings: house),
        tests(
            "APIServer",
            [
                "APIServer", "TestSupport", "Basics", "HTTP", "Keyspace", "Store", "EtcdAPI",
                "Documents", "Objects", nioCore, nioPosix, nioEmbedded,
            ]),
        tests("Informers", ["Informers", "Basics", "Keyspace", "Store", "Documents", "Objects"]),
        tests(
            "Controllers",
            [
                "Controllers", "Scheduler", "TestSupport", "Basics", "Keyspace", "Store",
                "Documents", "Objects",
                "Informers",
            ]),
        tests(
            "Scheduler",
            ["Scheduler", "Basics", "Keyspace", "Store", "Documents", "Objects", "Informers"]),
        tests(
            "NodeAgent",
            [
                "NodeAgent", "Basics", "CMartlet", "HTTP", "Keyspace", "Store", "Documents",
                "Objects",
                "Informers", nioCore, nioPosix, nioEmbedded,
            ]),
        tests("CLI", ["CLI", "Basics"]),
        tests("FuzzTargets", ["FuzzTargets", "Basics"]),
        tests("StoreJudgement", ["StoreJudgement", "Simulator", "Basics", "Keyspace"]),
        tests(
            "Simulator",
            [
                "Simulator", "Basics", "Raft", "WriteAheadLog", "LMDB", "Keyspace", "ReplicaCore",
            ]),
    ]
)
