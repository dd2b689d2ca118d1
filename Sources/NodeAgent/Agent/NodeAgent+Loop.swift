import Basics
import Objects

/// The loop's own state; only `NodeAgent.loop` touches it.
struct AgentState {
    var pods: [String: PodEntry] = [:]
    var uidOfKey: [String: String] = [:]
    var hasListed = false
    /// Pods are being stopped for the end of the whole cluster: nothing is started or written.
    var isStopping = false
}

extension NodeAgent {
    static let stopGraceMilliseconds: UInt64 = 1_500

    func loop(_ group: inout DiscardingTaskGroup) async {
        var state = AgentState()
        while true {
            for message in await mailbox.next() {
                if case .cancelled = message { return }
                await handle(message, &state, &group)
            }
        }
    }

    private func handle(
        _ message: AgentMessage, _ state: inout AgentState, _ group: inout DiscardingTaskGroup
    ) async {
        switch message {
        case .pod(let object): await take(object, &state, &group)
        case .podGone(let key):
            guard let uid = state.uidOfKey[key.readable] else { return }
            remove(uid, &state, &group)
        case .listed(let uids):
            for uid in state.pods.keys.sorted() where !uids.contains(uid) {
                remove(uid, &state, &group)
            }
            if !state.hasListed { await removeOrphans(uids, &group) }
            state.hasListed = true
        case .runtime(let event): handle(event, &state, &group)
        case .input(let uid, let input): apply(uid, &state, &group, input)
        case .wake(let uid):
            state.pods[uid]?.wakeAt = nil
            apply(uid, &state, &group) { lifecycle, now, _ in lifecycle.advance(now: now) }
        case .written(let uid, let object):
            state.pods[uid]?.isWriting = false
            if let known = state.pods[uid]?.object, known.revision < object.revision {
                await take(object, &state, &group)
            }
            write(uid, &state, &group)
        case .writeFailed(let uid):
            state.pods[uid]?.isWriting = false
            write(uid, &state, &group)
        case .removed(let uid):
            state.pods[uid]?.isWriting = false
            remove(uid, &state, &group)
        case .forgotten(let uid): forget(uid, &state)
        case .stopPods(let done): stopAll(done, &state, &group)
        case .cancelled: break
        }
    }

    private func handle(
        _ event: RuntimeEvent, _ state: inout AgentState, _ group: inout DiscardingTaskGroup
    ) {
        switch event {
        case .containerExited(let container):
            apply(container.sandbox, &state, &group) { lifecycle, now, wall in
                lifecycle.containerExited(container, now: now, wall: wall)
            }
        case .sandboxLost(let id):
            apply(id, &state, &group) { lifecycle, now, wall in
                lifecycle.sandboxLost(now: now, wall: wall)
            }
        }
    }

    // MARK: Pods that come, change and go

    private func take(
        _ object: Object, _ state: inout AgentState, _ group: inout DiscardingTaskGroup
    ) async {
        let uid = object.uid
        if let known = state.pods[uid] {
            guard object.revision > known.object.revision else { return }
            let before = known.lifecycle.pod
            let description = PodDescription(object)
            state.pods[uid]?.object = object
            if description != before {
                apply(uid, &state, &group) { lifecycle, now, _ in
                    lifecycle.podChanged(description, now: now)
                }
            } else {
                write(uid, &state, &group)
            }
            return
        }
        let key = object.key.readable
        if let other = state.uidOfKey[key] { remove(other, &state, &group) }
        state.uidOfKey[key] = uid
        let sandbox = await runtime.listPodSandboxes().first { $0.id == uid }
        let containers = await runtime.listContainers(sandbox: uid)
        let lifecycle = PodLifecycle(
            PodDescription(object), sandbox: sandbox, containers: containers,
            status: object.status, now: .now(), wall: .now())
        state.pods[uid] = PodEntry(object: object, lifecycle: lifecycle)
        sandboxOfPod.withLock { $0["\(object.namespace)/\(object.name)"] = uid }
        apply(uid, &state, &group) { lifecycle, now, _ in lifecycle.advance(now: now) }
    }

    private func remove(
        _ uid: String, _ state: inout AgentState, _ group: inout DiscardingTaskGroup
    ) {
        apply(uid, &state, &group) { lifecycle, now, _ in lifecycle.objectRemoved(now: now) }
        leave(uid, &state, &group)
    }

    private func forget(_ uid: String, _ state: inout AgentState) {
        guard let entry = state.pods.removeValue(forKey: uid) else { return }
        let key = entry.object.key.readable
        if state.uidOfKey[key] == uid { state.uidOfKey[key] = nil }
        let name = "\(entry.object.namespace)/\(entry.object.name)"
        sandboxOfPod.withLock { if $0[name] == uid { $0[name] = nil } }
    }

    private func removeOrphans(
        _ uids: Set<String>, _ group: inout DiscardingTaskGroup
    ) async {
        for sandbox in await runtime.listPodSandboxes() where !uids.contains(sandbox.id) {
            group.addTask { [runtime] in
                await runtime.stopPodSandbox(sandbox.id)
                await runtime.removePodSandbox(sandbox.id)
            }
        }
    }

    // MARK: The lifecycle's inputs and what follows from them

    private func apply(
        _ uid: String, _ state: inout AgentState, _ group: inout DiscardingTaskGroup,
        _ input: AgentMessage.Input
    ) {
        guard var entry = state.pods[uid], !state.isStopping else { return }
        let now = MonotonicTime.now()
        let actions = input(&entry.lifecycle, now, .now())
        state.pods[uid]?.lifecycle = entry.lifecycle
        for action in actions {
            if case .remove = action {
                state.pods[uid]?.isLeaving = true
                continue
            }
            perform(action, entry.object, entry.lifecycle, &group)
        }
        if let wake = entry.lifecycle.wake(), entry.wakeAt.map({ wake < $0 }) ?? true {
            state.pods[uid]?.wakeAt = wake
            group.addTask { [mailbox] in
                let milliseconds = wake.milliseconds(since: .now()) + 1
                try? await Task.sleep(for: .milliseconds(milliseconds))
                mailbox.post(.wake(uid: uid))
            }
        }
        write(uid, &state, &group)
        leave(uid, &state, &group)
    }

    /// Writes the status if it differs from the stored one, or removes the object at the end.
    private func write(
        _ uid: String, _ state: inout AgentState, _ group: inout DiscardingTaskGroup
    ) {
        guard let entry = state.pods[uid], !entry.isWriting, !state.isStopping,
            !entry.lifecycle.isObjectGone
        else { return }
        var object = entry.object
        object.status = entry.lifecycle.status(
            stored: entry.object.status, hostIP: facts.hostIP, wall: .now())
        let isChanged = object.status != entry.object.status
        guard isChanged || (entry.isLeaving && object.finalizers.isEmpty) else { return }
        state.pods[uid]?.isWriting = true
        group.addTask { [access, mailbox] in
            let result = isChanged ? await access.put(object) : await access.delete(object)
            switch result {
            case .written(let written):
                mailbox.post(isChanged ? .written(uid: uid, written) : .removed(uid: uid))
            case .conflict(let other?) where other.uid == uid:
                mailbox.post(.written(uid: uid, other))
            case .conflict: mailbox.post(.removed(uid: uid))
            case .failed:
                try? await Task.sleep(for: .milliseconds(500))
                mailbox.post(.writeFailed(uid: uid))
            }
        }
    }

    /// Removes the directory of a pod of which nothing is left, neither here nor in the store.
    private func leave(
        _ uid: String, _ state: inout AgentState, _ group: inout DiscardingTaskGroup
    ) {
        guard let entry = state.pods[uid], entry.isLeaving, entry.lifecycle.isObjectGone,
            !entry.isForgetting
        else { return }
        state.pods[uid]?.isForgetting = true
        group.addTask { [runtime, mailbox] in
            await runtime.removePodSandbox(uid)
            mailbox.post(.forgotten(uid: uid))
        }
    }

    private func stopAll(
        _ done: CheckedContinuation<Void, Never>, _ state: inout AgentState,
        _ group: inout DiscardingTaskGroup
    ) {
        state.isStopping = true
        group.addTask { [runtime] in
            await runtime.stopEverything(graceMilliseconds: Self.stopGraceMilliseconds)
            done.resume()
        }
    }
}
