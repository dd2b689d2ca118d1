import Glibc
import Testing

/// Replays the protocol stories of `Tests/Stories/Raft`.
@Suite struct ScriptTests {
    static let names = [
        "election", "pre_vote", "check_quorum", "replication", "conflict_figure7",
        "commit_figure8", "pipelining", "slow_follower_snapshot", "read_index", "single_node",
        "membership", "leader_removal", "async_append_aba", "leader_transfer",
        "uncommitted_bound",
    ]

    @Test(arguments: names) func story(_ name: String) throws {
        let path = directory + "/Stories/Raft/\(name).txt"
        let script = Script(try #require(readFile(path), "cannot read \(path)"))
        #expect(!script.steps.isEmpty)
        let traces = script.run()
        if unsafe getenv("MARTLET_REWRITE") != nil {
            #expect(writeFile(path, script.rewritten(with: traces)))
            return
        }
        for (step, trace) in zip(script.steps, traces) {
            #expect(trace == step.expected, "\(name): \(step.command)")
        }
    }

    private var directory: String {
        #filePath.split(separator: "/").dropLast(2).reduce("") { $0 + "/" + $1 }
    }
}

private func readFile(_ path: String) -> String? {
    guard let file = unsafe fopen(path, "r") else { return nil }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    while case let byte = unsafe fgetc(file), byte >= 0 { bytes.append(UInt8(byte)) }
    return String(decoding: bytes, as: UTF8.self)
}

private func writeFile(_ path: String, _ text: String) -> Bool {
    guard let file = unsafe fopen(path, "w") else { return false }
    defer { unsafe fclose(file) }
    return unsafe fputs(text, file) >= 0
}
