import Basics
import Keyspace
import Raft

/// What a replica does about a disk that fills up.
struct SpaceWatch {
    /// A change of the alarm is on its way.
    let isAsked = Locked(false)
    var shrinkAtTick: UInt64 = 0
}

/// The space alarm, as in etcd: raised through the log by the member that runs out of space, and
/// then every member refuses what needs room. Reads, deletes, compaction and the end of leases go
/// on. It is cleared by the member that raised it, once there is space again.
extension ReplicaCore {
    func watchSpace() {
        guard ticks % 4 == 0, memberID != 0, isStateKnown, let disk = environment.diskSpace()
        else { return }
        let limits = SpaceLimits(totalBytes: disk.totalBytes, quota: settings.quotaBytes)
        let isRaised = cluster.alarms.contains(
            ClusterAlarm(memberID: memberID, kind: .noSpace))
        guard isRaised || disk.freeBytes < limits.enough || limits.quota > 0 else { return }
        let usage = keyspace.fileUsage()
        let used = UInt64(max(0, usage.bytesInUse))
        let reusable = UInt64(max(0, usage.bytes - usage.bytesInUse))
        let isDiskShort = limits.isShort(disk, reusable: reusable)
        let isShort = isDiskShort || limits.isOverQuota(used)
        if isDiskShort { shrinkLog(limits, disk, used: used) }
        let isEnough = limits.isEnough(disk, reusable: reusable) && limits.isWithinQuota(used)
        if isShort != isRaised, isShort || isEnough {
            let why =
                isDiskShort
                ? "\(disk.freeBytes >> 20) MiB left on the file system of \(settings.directory)"
                : "the keyspace holds \(used) bytes, its quota is \(limits.quota)"
            changeAlarm(isShort, why)
        } else if isRaised, !limits.isEnough(disk, reusable: reusable) {
            shrinkLog(limits, disk, used: used)
        }
    }

    private func changeAlarm(_ isRaised: Bool, _ why: String) {
        let isAsked = space.isAsked
        guard raft?.leader != 0, !isAsked.withLock({ $0 }) else { return }
        isAsked.withLock { $0 = true }
        settings.notice(
            isRaised
                ? "\(why): raising the alarm NOSPACE"
                : "there is space again: clearing the alarm NOSPACE")
        let change = AlarmChange(isRaised: isRaised, memberID: memberID, kind: .noSpace)
        newWrites.append(
            PendingWrite(
                payload: Command.alarm(change).encode(),
                deadline: now.advanced(milliseconds: settings.requestMilliseconds)
            ) { _ in isAsked.withLock { $0 = false } })
        submitWrites()
    }

    /// Gives back what the log holds in reserve, and takes a snapshot, behind which the log can go,
    /// if there is room for one. At most every few seconds: each costs a snapshot.
    private func shrinkLog(_ limits: SpaceLimits, _ disk: DiskSpace, used: UInt64) {
        guard ticks >= space.shrinkAtTick, !snapshots.isSaving, snapshots.logBytes > 1 << 20
        else { return }
        space.shrinkAtTick = ticks + 100
        environment.log(.shrink)
        if limits.fitsSnapshot(disk, of: used) { beginSnapshot() }
    }

    /// Why a command must be refused while an alarm is on.
    func refusal(of payload: Bytes) -> StoreError? {
        guard !cluster.alarms.isEmpty, let command = try? Command(decoding: payload) else {
            return nil
        }
        if cluster.isCorrupt, command.isOfClients { return .corrupt }
        return cluster.isOutOfSpace && command.needsRoom ? .noSpace : nil
    }
}
