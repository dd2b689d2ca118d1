import Glibc
import Testing

/// Replays the protocol stories of `Tests/Stories/Raft`.
@Suite struct ScriptTests {
    static let names = [
        "async_append_aba", "async_storage_writes", "change_add_double", "change_add_single",
        "change_demote_leader", "change_joint_cut_off", "change_joint_needs_both",
        "change_leader_dies_joint", "change_one_at_a_time", "change_replace_leader",
        "check_quorum", "commit_figure8", "conflict_figure7", "election", "forget_leader",
        "forget_leader_lease", "heartbeat_ends_probe_pause", "lagging_commit",
        "leader_disk_stall", "leader_disk_stall_alone", "leader_removal", "leader_transfer",
        "learner_must_vote", "learner_promotion", "learner_promotion_several", "lease_reads",
        "lease_restart", "membership", "pipelining", "pre_vote", "pre_vote_check_quorum",
        "read_index", "replicate_bytes", "replicate_pause", "replication", "request_snapshot",
        "request_snapshot_keeps_log", "single_node", "slow_follower_snapshot",
        "snapshot_ended_by_append", "snapshot_not_ended_by_append", "transfer_gives_up",
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
