import ReplicaCore
import WriteAheadLog

/// The log's thread of a replica: writes what waits as one batch, and syncs it, which takes its
/// time; a crash may come before it is done.
extension Simulation {
    func startLogBatch(_ replica: SimulatedReplica) {
        guard let environment = replica.process?.environment,
            environment.batch == nil, !environment.waiting.isEmpty, !environment.isLogBroken
        else { return }
        let works = environment.waiting
        environment.waiting = []
        var batch = LogBatch()
        replica.inFlight = works
        do throws(LogError) {
            for work in works { try batch.write(work, to: environment.log) }
        } catch {
            return logFailed(replica, environment, error)
        }
        environment.batch = batch
        let slowness = replica.diskSlowness * (isHealed ? 1 : scenario.diskSlowness)
        let sync = (scenario.syncMin + below(scenario.syncMax)) * slowness
        replica.syncEnd = now + sync
        queue.add(.logDone(replica.number, epoch: replica.epoch), at: replica.syncEnd)
    }

    func finishLogBatch(_ replica: SimulatedReplica) throws(Violation) {
        guard let environment = replica.process?.environment, let batch = environment.batch else {
            return
        }
        environment.batch = nil
        do throws(LogError) {
            try environment.log.sync()
        } catch {
            return logFailed(replica, environment, error)
        }
        for work in replica.inFlight { replica.durable.apply(work) }
        replica.inFlight = []
        environment.send(batch.messages)
        for report in batch.reports(environment.log) { tell(replica, report) }
        let released = environment.log.releasedIndex
        do throws(LogError) {
            try batch.release(environment.log)
        } catch {
            return logFailed(replica, environment, error)
        }
        if environment.log.releasedIndex != released { checkReach(replica) }
        startLogBatch(replica)
    }

    private func logFailed(
        _ replica: SimulatedReplica, _ environment: SimulatedEnvironment, _ error: LogError
    ) {
        trace("the log of \(replica.number) fails: \(error)")
        environment.isLogBroken = true
        tell(replica, .failed(ReplicaFailure(error)))
    }
}
