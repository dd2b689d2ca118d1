import Basics
import Keyspace
import Raft
import ReplicaCore

/// Snapshot files that are written and streamed; both take their time.
extension Simulation {
    func serve(_ read: PendingRead, _ keyspace: Keyspace, _ replica: SimulatedReplica) {
        let delay = random.chance(1, in: 20) ? below(20_000) : 5 + below(300)
        queue.add(
            .served(read, keyspace, replica.number, epoch: replica.epoch), at: now + delay)
    }

    func saveSnapshot(
        of keyspace: Keyspace, _ replica: SimulatedReplica, _ environment: SimulatedEnvironment
    ) {
        do throws(KeyspaceError) {
            environment.saving = try keyspace.snapshot(clusterID: Self.clusterID)
        } catch {
            return tell(replica, .snapshotSaved(.failure(error)))
        }
        let time = now + 1_000 + below(50_000)
        queue.add(.snapshotSaved(replica.number, epoch: replica.epoch), at: time)
    }

    func finishSave(_ replica: SimulatedReplica) {
        guard let environment = replica.process?.environment, let stream = environment.saving
        else { return }
        environment.saving = nil
        let path = replica.directory.snapshot(index: stream.header.index)
        do throws(KeyspaceError) {
            let header = try SnapshotFile.save(stream, to: path)
            trace("\(replica.number) saved a snapshot at \(header.index)")
            tell(replica, .snapshotSaved(.success(header)))
        } catch {
            tell(replica, .snapshotSaved(.failure(error)))
        }
    }

    func sendSnapshot(
        of keyspace: Keyspace, to member: ReplicaMember, term: UInt64,
        _ replica: SimulatedReplica, _ environment: SimulatedEnvironment
    ) {
        let to = number(named: member.name)
        let stream: SnapshotStream
        do throws(KeyspaceError) {
            stream = try keyspace.snapshot(clusterID: Self.clusterID)
        } catch {
            return tell(replica, .snapshotSent(to: member.id, succeeded: false))
        }
        trace("\(replica.number) streams a snapshot at \(stream.header.index) to \(to)")
        let transfer = SnapshotTransfer(
            stream: stream, toMember: member.id, fromMember: environment.ownID, term: term)
        environment.sending.removeAll { $0.to == to }
        environment.sending.append((to, transfer))
        queue.add(
            .snapshotStreamed(replica.number, to: to, epoch: replica.epoch),
            at: now + 2_000 + below(isHealed ? 200_000 : scenario.streamMax))
    }

    /// A stream has ended, also if its sender is stopped for the moment.
    func finishStream(_ number: Int, _ to: Int, _ epoch: Int) {
        let sender = replicas[number - 1]
        guard sender.epoch == epoch, let environment = sender.process?.environment,
            let slot = environment.sending.firstIndex(where: { $0.to == to })
        else { return }
        let transfer = environment.sending.remove(at: slot).transfer
        let receiver = replicas[to - 1]
        var arrives =
            receiver.process?.core.memberID == transfer.toMember && receiver.pausedUntil <= now
            && !network.isBlocked(number, to) && !chance(per10000: scenario.lossPer10000)
            // A wrong state that spread would be most replicas' state.
            && !sender.isWrong
        if arrives, scenario.faults.contains(.snapshotCut), !isHealed, random.chance(1, in: 4) {
            coverage.note(.snapshotCut, receiver.process?.core.raft?.role)
            arrives = false
        }
        if arrives { arrives = receive(transfer, receiver) }
        trace("the snapshot of \(number) \(arrives ? "arrived at" : "did not reach") \(to)")
        tell(sender, .snapshotSent(to: transfer.toMember, succeeded: arrives))
    }

    private func receive(_ transfer: SnapshotTransfer, _ receiver: SimulatedReplica) -> Bool {
        let path = receiver.directory.snapshot(index: transfer.stream.header.index)
        do throws(KeyspaceError) {
            let header = try SnapshotFile.save(transfer.stream, to: path)
            tell(
                receiver,
                .snapshotReceived(
                    from: transfer.fromMember, term: transfer.term, path: path, header))
            return true
        } catch {
            // The sender's keyspace was replaced meanwhile.
            return false
        }
    }
}
