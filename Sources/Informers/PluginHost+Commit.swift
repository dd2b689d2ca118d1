import Basics
import Keyspace
import Objects
import Store

extension PluginHost {
    /// A store that commits in parts compares the guards of all plans with each part.
    private static let plansInPartsMax = 8

    /// Reconciles what is ready and commits the plans together; answers the revision that the
    /// view must reach before anything else is reconciled.
    func commitReady(_ term: Leadership.Term) async throws -> Int64 {
        try await renewEventLease()
        var batch = assemble()
        var target: Int64 = 0
        while !batch.isEmpty {
            let response: CommitResponse
            do throws(StoreError) {
                response = try await store.commit(batch.request(fence: leadership.fence(term)))
            } catch {
                try refused(batch, error)
                return target
            }
            switch response {
            case .committed(_, let last):
                for member in batch.members { queue.succeeded(member.key) }
                return max(target, last)
            case .guardFailed(let index, let revision):
                guard let member = batch.removeMember(ofGuard: index) else {
                    throw LeadershipLost()
                }
                queue.add(member.key)
                target = max(target, revision)
            }
        }
        return target
    }

    /// A commit that the store will not take as it is: smaller ones may pass.
    private func refused(_ batch: CommitBatch, _ error: StoreError) throws {
        switch error.code {
        case .notFound:
            // The lease of the events is gone.
            eventLease = nil
            for member in batch.members { queue.add(member.key) }
        case .invalid, .tooLarge, .noSpace, .failedPrecondition, .permissionDenied:
            if batch.members.count > 1 {
                soloPlans = batch.members.count
                for member in batch.members { queue.add(member.key) }
            } else {
                let now = MonotonicTime.now()
                for member in batch.members {
                    log("\(member.key.reference.name): \(error)")
                    queue.addAfterFailure(member.key, now: now)
                }
            }
        default: throw error
        }
    }

    /// Takes ready keys and plans for them, all on the same view.
    private func assemble() -> CommitBatch {
        var batch = CommitBatch()
        let now = WallTime.now()
        let monotonic = MonotonicTime.now()
        var context = ReconcileContext(view: view, now: now, random: random)
        defer { random = context.random }
        let plansMax = store.commitsWhole ? configuration.batchPlansMax : Self.plansInPartsMax
        while batch.members.count < plansMax,
            batch.byteCount < configuration.batchBytesMax,
            batch.mutationCount < Limits.commitMutationsMax / 2, let key = queue.take()
        {
            let plan = reconcilers[key.reconciler].reconcile(key.reference, &context)
            if let delay = plan.requeueAfterMilliseconds {
                queue.add(key, at: monotonic.advanced(milliseconds: delay))
            }
            if let failure = plan.failure {
                log("\(key.reference.kind.plural) \(key.reference.name): \(failure)")
                queue.addAfterFailure(key, now: monotonic)
            }
            if plan.isEmpty {
                if plan.failure == nil { queue.succeeded(key) }
                continue
            }
            guard batch.accepts(plan) else {
                queue.putBack(key)
                break
            }
            batch.add(key, plan, events: events(of: plan, key, &context))
            if soloPlans > 0 {
                soloPlans -= 1
                break
            }
        }
        return batch
    }

    private func events(
        of plan: Plan, _ key: WorkKey, _ context: inout ReconcileContext
    ) -> [CommitRequest.Mutation] {
        guard let lease = eventLease?.id else { return [] }
        let component = reconcilers[key.reconciler].component
        return plan.events.compactMap { record in
            // Nothing may be made in a namespace that is going.
            guard
                let namespace = context.view.object(.namespace, "", record.namespace),
                !namespace.isBeingDeleted || !context.view.holds(.namespace)
            else { return nil }
            let event = recorder.event(
                for: record, component: component, now: context.now,
                suffix: hexadecimal(context.random.next()), uid: context.uid())
            return .put(key: event.key, value: event.encodeStored(), lease: lease)
        }
    }

    /// One lease serves the events of five minutes, and lives that much longer than they must.
    private func renewEventLease() async throws {
        let now = MonotonicTime.now()
        if let lease = eventLease, now < lease.until { return }
        let sharedSeconds: Int64 = 300
        let lease = try await store.leaseGrant(
            id: 0, ttlSeconds: configuration.eventTTLSeconds + sharedSeconds)
        eventLease = (
            lease.id, now.advanced(milliseconds: UInt64(sharedSeconds) * 1000)
        )
    }

    private func hexadecimal(_ number: UInt64) -> String {
        var writer = ByteWriter(reserving: 8)
        writer.writeBigEndian(number)
        return writer.bytes.hex
    }
}
