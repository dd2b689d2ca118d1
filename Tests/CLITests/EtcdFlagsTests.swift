import Basics
import CLI
import Foundation
import Testing

@Suite struct EtcdFlagsTests {
    private func parse(
        _ arguments: String, _ environment: [String: String] = [:]
    ) throws -> (EtcdFlags, EtcdOptions) {
        let flags = try EtcdFlags(
            arguments: arguments.split(separator: " ").map(String.init), environment: environment)
        return (flags, try EtcdOptions(flags))
    }

    private func failure(_ arguments: String, _ environment: [String: String] = [:]) -> String {
        do {
            _ = try parse(arguments, environment)
            return "no failure"
        } catch {
            return "\(error)"
        }
    }

    @Test func defaultsAreEtcds() throws {
        let (flags, options) = try parse("")
        #expect(flags.remarks == [])
        #expect(options.name == "default")
        #expect(options.dataDirectory == "default.etcd")
        #expect(options.listenClients.map(\.text) == ["http://localhost:2379"])
        #expect(options.listenPeer.address == "127.0.0.1")
        #expect(options.members.map(\.name) == ["default"])
        #expect(options.quotaBytes == 0)
        #expect(options.compaction == nil)
        #expect(!options.isExisting)
    }

    @Test(arguments: [
        "--name=m --data-dir=/d", "-name m -data-dir /d", "--name m --data-dir /d",
        "-name=m --data-dir=/d",
    ]) func everySpellingOfGo(arguments: String) throws {
        let (_, options) = try parse(
            arguments + " --initial-cluster m=http://127.0.0.1:1,n=http://127.0.0.1:2")
        #expect(options.name == "m")
        #expect(options.dataDirectory == "/d")
        #expect(options.members.map(\.name) == ["m", "n"])
    }

    @Test func aFlagGoesBeforeItsVariable() throws {
        let (flags, options) = try parse(
            "--heartbeat-interval 20",
            [
                "ETCD_HEARTBEAT_INTERVAL": "40", "ETCD_ELECTION_TIMEOUT": "700", "ETCD_ODD": "1",
                "ETCD_EXPERIMENTAL_CORRUPT_CHECK_TIME": "1m", "ETCDCTL_API": "3", "PATH": "/",
                "ETCD_QUOTA_BACKEND_BYTES": "8589934592", "ETCD_ENABLE_PPROF": "true",
            ])
        #expect(options.heartbeatMilliseconds == 20)
        #expect(options.electionMilliseconds == 700)
        #expect(options.quotaBytes == 8_589_934_592)
        #expect(options.corruptCheckMilliseconds == 60_000)
        #expect(
            flags.remarks == [
                "ETCD_HEARTBEAT_INTERVAL is ignored: --heartbeat-interval is given",
                "ETCD_ODD is no variable of etcd: ignored",
                "ETCD_ENABLE_PPROF is ignored: use perf",
            ])
    }

    @Test(arguments: [
        ("--name", "--name needs a value"), ("stray", "'stray' is not a valid flag"),
        ("--nobody 1", "--nobody is no flag of martlet server or of etcd"),
        ("--quota-backend-bytes x", "--quota-backend-bytes: x is not a number"),
        ("--listen-client-urls 127.0.0.1:1", "127.0.0.1:1 is not http://HOST:PORT"),
        ("--listen-client-urls http://127.0.0.1", "http://127.0.0.1 is not http://HOST:PORT"),
        ("--listen-client-urls http://a:70000", "http://a:70000 is not http://HOST:PORT"),
        ("--listen-client-urls http://10.0.0.1:1", "plaintext beyond loopback"),
        ("--listen-metrics-urls http://10.0.0.1:1", "plaintext beyond loopback"),
        ("--listen-peer-urls http://127.0.0.1:1,http://127.0.0.1:2", "one URL is supported"),
        ("--initial-cluster default", "default is not NAME=URL"),
        (
            "--initial-cluster default=http://127.0.0.1:1,default=http://127.0.0.1:2",
            "default has more than one URL"
        ),
        ("--initial-cluster a=http://127.0.0.1:1", "couldn't find local name \"default\""),
        (
            "--initial-cluster default=http://127.0.0.1:1,b=https://127.0.0.1:2",
            "mixes http and https"
        ),
        (
            "--initial-cluster default=http://127.0.0.1:1 --initial-advertise-peer-urls"
                + " http://127.0.0.1:2", "but --initial-advertise-peer-urls is http://127.0.0.1:2"
        ),
        ("--initial-cluster-state old", "old is neither new nor existing"),
        ("--heartbeat-interval 0", "0 ms is not within 1 and 50000"),
        ("--heartbeat-interval 100 --election-timeout 400", "at least as 5 times"),
        ("--auto-compaction-retention soon", "soon is not a time"),
        ("--auto-compaction-mode never", "never is neither periodic nor revision"),
        ("--auto-compaction-mode revision --auto-compaction-retention 1h", "not a number"),
        ("--unsafe-no-fsync", "--unsafe-no-fsync is not supported"),
        ("--auth-token paper", "paper is neither simple nor jwt"),
        ("--auth-token jwt", "jwt needs sign-method"),
        ("--auth-token jwt,sign-method=ES256", "jwt needs priv-key or pub-key"),
        ("--auth-token jwt,sign-method=ES256,priv-key=k,ttl=soon", "ttl=soon is not a time"),
        ("--auth-token jwt,secret=1", "secret is none of sign-method"),
        ("--auth-token-ttl 0", "0 s is no time to live"),
        ("--max-txn-ops 500", "fixed at 128"), ("--wal-dir /w", "--wal-dir is not supported"),
    ]) func whatIsWrongIsSaid(arguments: String, words: String) {
        #expect(failure(arguments).contains(words), "\(failure(arguments))")
    }

    @Test func tokens() throws {
        #expect(try parse("").1.tokens == .simple(lifeSeconds: 300))
        #expect(try parse("--auth-token-ttl 7").1.tokens == .simple(lifeSeconds: 7))
        let text = "--auth-token jwt,sign-method=ES256,priv-key=/k,pub-key=/p,ttl=1m30s"
        guard case .jwt(let jwt) = try parse(text).1.tokens else {
            Issue.record("no jwt")
            return
        }
        #expect(jwt.method == "ES256")
        #expect(jwt.privateKeyFile == "/k")
        #expect(jwt.publicKeyFile == "/p")
        #expect(jwt.lifeSeconds == 90)
    }

    @Test func whatIsSoAnywayIsTaken() throws {
        let (flags, _) = try parse(
            "--max-txn-ops 128 --max-request-bytes 1572864 --unsafe-no-fsync=false --wal-dir= "
                + "--proxy off --force-new-cluster=false")
        #expect(flags.remarks == [])
    }

    @Test func everyFlagHasItsVariableAndStandsOnce() {
        let names = EtcdFlag.all.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(EtcdFlag.named("initial-cluster")?.variable == "ETCD_INITIAL_CLUSTER")
        #expect(EtcdFlag.named("experimental-corrupt-check-time")?.name == "corrupt-check-time")
        for flag in EtcdFlag.all { #expect(!flag.note.isEmpty, "\(flag.name)") }
    }

    @Test func thePageIsTheTable() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let path = root.appending(path: "docs/etcd-flags.md")
        let page = try String(contentsOf: path, encoding: .utf8)
        #expect(
            page == EtcdFlagPage.text, "martlet server --describe-etcd-flags > docs/etcd-flags.md")
    }
}

@Suite struct AutoCompactionTests {
    private let start = MonotonicTime(nanoseconds: 1)

    @Test(
        arguments: [
            ("1", 3600), ("30m", 1800), ("1h30m", 5400), ("45s", 45), ("100h", 360_000),
        ] as [(String, UInt64)]) func timesAreEtcds(text: String, seconds: UInt64) throws
    {
        let flags = try EtcdFlags(
            arguments: ["--auto-compaction-retention", text], environment: [:])
        #expect(try AutoCompaction(flags)?.mode == .periodic(seconds: seconds))
    }

    @Test func historyOfTheTimeIsKept() {
        var compaction = AutoCompaction(.periodic(seconds: 100))
        var told: [Int64] = []
        // Revision n is that of second n.
        for second in stride(from: UInt64(0), through: 300, by: 10) {
            let target = compaction.next(
                revision: Int64(second), isLeader: true,
                now: start.advanced(milliseconds: second * 1000))
            if let target {
                #expect(target == Int64(second) - 100)
                told.append(target)
            }
        }
        #expect(told == Array(stride(from: 10, through: 200, by: 10)))
    }

    @Test func aFollowerCountsAndDoesNotCompact() {
        var compaction = AutoCompaction(.periodic(seconds: 10))
        for second in UInt64(0)...19 {
            let now = start.advanced(milliseconds: second * 1000)
            let target = compaction.next(revision: Int64(second), isLeader: false, now: now)
            #expect(target == nil)
        }
        let now = start.advanced(milliseconds: 20_000)
        let target = compaction.next(revision: 20, isLeader: true, now: now)
        #expect(target == 10)
    }

    @Test func revisionsAreKept() {
        var compaction = AutoCompaction(.revisions(1000))
        let steps: [(Int64, Int64?)] = [(900, nil), (1500, 500), (1500, nil), (1501, 501)]
        for (revision, wanted) in steps {
            let target = compaction.next(revision: revision, isLeader: true, now: start)
            #expect(target == wanted, "at revision \(revision)")
        }
    }

    @Test func aStandStillIsNotCompactedAgain() {
        var compaction = AutoCompaction(.periodic(seconds: 10))
        var told = 0
        for second in UInt64(0)...100 {
            let now = start.advanced(milliseconds: second * 1000)
            if compaction.next(revision: 7, isLeader: true, now: now) != nil { told += 1 }
        }
        #expect(told == 1)
    }
}
