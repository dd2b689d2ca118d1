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
        let transfer: SnapshotTransfer
        do throws(ReplicaFailure) {
            let point = try resumePoint(replicas[to - 1], from: environment.ownID)
            let path = try SnapshotSource.choose(
                keyspace, in: replica.directory, clusterID: Self.clusterID, resuming: point)
            let content = try FileSystem.read(path) ?? []
            transfer = SnapshotTransfer(
                content: content,
                begin: try SnapshotSource.begin(
                    path, bytes: UInt64(content.count), resuming: point),
                toMember: member.id, fromMember: environment.ownID, term: term,
                isWrong: replica.isWrong)
        } catch {
            return tell(replica, .snapshotSent(to: member.id, succeeded: false))
        }
        trace(
            "\(replica.number) streams a snapshot at \(transfer.begin.identity.index) to \(to), "
                + "from byte \(transfer.begin.offset) on")
        environment.sending.removeAll { $0.to == to }
        environment.sending.append((to, transfer))
        queue.add(
            .snapshotStreamed(replica.number, to: to, epoch: replica.epoch),
            at: now + 2_000 + below(isHealed ? 200_000 : scenario.streamMax))
    }

    /// What the receiver's welcome says.
    private func resumePoint(
        _ receiver: SimulatedReplica, from peer: UInt64
    ) throws(ReplicaFailure) -> SnapshotResumePoint {
        guard receiver.process != nil else { return .nothing }
        return try SnapshotIntake(receiver.directory, from: peer).resumePoint
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
            && !sender.isWrong && !transfer.isWrong
        if sender.isWrong { sender.snapshotsHeldBack += 1 }
        if arrives {
            let isCut =
                scenario.faults.contains(.snapshotCut) && !isHealed && random.chance(1, in: 4)
            arrives = receive(transfer, receiver, isCut: isCut)
        }
        trace("the snapshot of \(number) \(arrives ? "arrived at" : "did not reach") \(to)")
        tell(sender, .snapshotSent(to: transfer.toMember, succeeded: arrives))
    }

    /// Returns whether all of it came and is whole.
    private func receive(
        _ transfer: SnapshotTransfer, _ receiver: SimulatedReplica, isCut: Bool
    ) -> Bool {
        let start = Int(transfer.begin.offset)
        let left = transfer.content.count - start
        let end = isCut ? start + random.below(left + 1) : transfer.content.count
        do throws(ReplicaFailure) {
            let intake = try SnapshotIntake(receiver.directory, from: transfer.fromMember)
            try intake.begin(transfer.begin)
            if start > 0 { coverage.noteFound(.resumedSnapshot) }
            try intake.append(Bytes(transfer.content[start..<end]))
            guard !isCut else {
                coverage.note(.snapshotCut, receiver.process?.core.raft?.role)
                intake.interrupt()
                try spoilPart(transfer, receiver)
                return false
            }
            let (path, header) = try intake.finish()
            tell(
                receiver,
                .snapshotReceived(
                    from: transfer.fromMember, term: transfer.term, path: path, header))
            return true
        } catch {
            trace("the snapshot for \(receiver.number) is refused: \(error)")
            return false
        }
    }

    /// The disk may lose or change what came before the cut: the whole is checked in the end.
    private func spoilPart(
        _ transfer: SnapshotTransfer, _ receiver: SimulatedReplica
    ) throws(ReplicaFailure) {
        guard random.chance(1, in: 8) else { return }
        let path = receiver.directory.incoming(from: transfer.fromMember)
        guard var part = try FileSystem.read(path), !part.isEmpty else { return }
        part[random.below(part.count)] ^= UInt8(1 << random.below(8))
        try FileSystem.replace(path, part)
    }
}
