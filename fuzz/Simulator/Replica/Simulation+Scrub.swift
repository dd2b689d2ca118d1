import Basics
import Keyspace
import ReplicaCore
import WriteAheadLog

/// Damage in the keyspace file and in the log of a replica that runs: who finds it, and what then.
extension Simulation {
    /// Once the faults have ended, what they damaged is to be found soon.
    private var isScrubHurried: Bool { isHealed && !isDamageFound }

    func scheduleScrub(_ replica: SimulatedReplica) {
        let interval = isScrubHurried ? 500_000 : scenario.scrubInterval
        queue.add(
            .scrub(replica.number, epoch: replica.epoch),
            at: now + interval / 2 + below(interval))
    }

    /// The next slice of the keyspace and, when a pass is over, the log.
    func scrub(_ replica: SimulatedReplica) throws(Violation) {
        scheduleScrub(replica)
        guard let process = replica.process, let keyspace = process.environment.keyspace else {
            return
        }
        let time = replica.clock.time(at: now)
        do throws(KeyspaceError) {
            let isHurried = isScrubHurried
            let bytes = isHurried ? 1 << 20 : scenario.scrubBytes
            while try process.scrubber.step(keyspace, bytesMax: bytes, now: { time }), isHurried {}
        } catch {
            // The keyspace has told the core, which ends.
            trace("the scrubber of \(replica.number): \(error)")
            return try replica.harm.checkKeyspace(replica.number, "\(error)")
        }
        guard process.scrubber.report.isComplete else { return }
        // What was hit is in use no more.
        replica.isRotInUse = false
        process.scrubber = Scrubber()
        if process.environment.isLogIdle { try scrubLog(replica) }
    }

    private func scrubLog(_ replica: SimulatedReplica) throws(Violation) {
        // Before the scan, which may be the one read that goes wrong.
        let harm = replica.harm
        do throws(LogError) {
            // As in production, what does not come again was a bad read.
            do { _ = try scanLog(replica) } catch { _ = try scanLog(replica) }
        } catch {
            try harm.checkLog(replica.number, "\(error)")
            trace("the scrubber of \(replica.number): \(error)")
            if isMissingNothing(replica) { return trace("nothing is missing all the same") }
            tell(
                replica, .failed(ReplicaFailure(nil, "the log is damaged and is mended: \(error)")))
        }
    }

    /// As `ScrubService` has it.
    private func isMissingNothing(_ replica: SimulatedReplica) -> Bool {
        guard let applied = replica.process?.environment.keyspace?.appliedIndex else {
            return false
        }
        let survey = try? LogScan.survey(replica.files, clusterID: Self.clusterID) { _ in }
        return survey?.isMissingNothing(ifApplied: applied) ?? false
    }

    private func scanLog(_ replica: SimulatedReplica) throws(LogError) -> LogScan {
        try LogScan.scan(replica.files, clusterID: Self.clusterID) { _, _, _ in nil }
    }

    /// A read met damage.
    func damaged(_ number: Int, _ epoch: Int, _ error: KeyspaceError) {
        let replica = replicas[number - 1]
        guard replica.epoch == epoch, replica.process != nil else { return }
        trace("\(number) meets damage: \(error)")
        tell(replica, .damaged(error))
        do throws(Violation) {
            try replica.harm.checkKeyspace(number, "\(error)")
        } catch {
            violation = error
        }
    }
}
