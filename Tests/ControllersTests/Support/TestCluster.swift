import Documents
import Basics
import Informers
import Keyspace
import Objects
import Testing

/// Reconcilers over a store, stepped in one thread with a clock of its own.
struct TestCluster {
    var engine = TestEngine()
    var view: ClusterView
    var reconcilers: [any Reconciler]
    var queue = WorkQueue<WorkKey>()
    var now = WallTime(seconds: 1_800_000_000)
    var random = SeededRandom(seed: 7)
    /// Events in order, as `Reason message`.
    var events: [String] = []
    /// Called with the cluster after every commit, for invariants that hold at every revision.
    var check: ((TestCluster) -> Void)?
    private var seen: Int64 = 0

    init(_ reconcilers: [any Reconciler], namespaces: [String] = ["default"]) {
        self.reconcilers = reconcilers
        view = ClusterView(kinds: Kinds.all, namesOnly: [.event])
        for name in namespaces {
            create(.namespace, ["metadata": ["name": .string(name)]], in: "")
        }
        for (index, reconciler) in reconcilers.enumerated() {
            for key in reconciler.startKeys {
                queue.add(WorkKey(reconciler: index, reference: key))
            }
        }
    }

    private var monotonic: MonotonicTime {
        MonotonicTime(nanoseconds: UInt64(now.microseconds) * 1000)
    }

    // MARK: What users and nodes do

    @discardableResult
    mutating func create(_ kind: ResourceKind, _ json: JSON, in namespace: String = "default")
        -> Object
    {
        var json = json
        json["apiVersion"] = .string(kind.apiVersion)
        json["kind"] = .string(kind.kind)
        let uid = Names.uid(using: &random)
        let suffix = Names.suffix(using: &random)
        do {
            let prepared = try Strategy.prepareCreate(
                kind, json, namespace: namespace, now: now, uid: uid, nameSuffix: suffix)
            return put(Object(kind: kind, json: prepared))
        } catch {
            Issue.record("\(error)")
            return Object(kind: kind, json: json)
        }
    }

    /// Stores an object as it is.
    @discardableResult
    mutating func put(_ object: Object) -> Object {
        commit([.put(key: object.key, value: object.encodeStored(), lease: 0)])
        return get(object.kind, object.name, in: object.namespace) ?? object
    }

    /// A client's update: generation and status are the API's business.
    mutating func update(
        _ kind: ResourceKind, _ name: String, in namespace: String = "default",
        _ subresource: Subresource = .none, _ body: (inout JSON) -> Void
    ) {
        guard let old = get(kind, name, in: namespace) else {
            Issue.record("no \(kind) \(name)")
            return
        }
        var json = old.json
        body(&json)
        do {
            var changed = old
            changed.json = try Strategy.prepareUpdate(
                kind, old: old, new: json, subresource: subresource, now: now)
            if Strategy.isDeletionComplete(kind, changed.json) {
                commit([.delete(key: old.key)])
            } else {
                put(changed)
            }
        } catch {
            Issue.record("\(error)")
        }
    }

    /// A client's delete.
    mutating func delete(
        _ kind: ResourceKind, _ name: String, in namespace: String = "default",
        _ propagation: DeleteOptions.Propagation? = .background, grace: Int64? = nil
    ) {
        guard let old = get(kind, name, in: namespace) else {
            Issue.record("no \(kind) \(name)")
            return
        }
        var options = DeleteOptions()
        options.propagation = propagation
        options.gracePeriodSeconds = grace
        do {
            switch try Strategy.prepareDelete(kind, old: old, options: options, now: now) {
            case .remove: commit([.delete(key: old.key)])
            case .update(let json):
                var changed = old
                changed.json = json
                put(changed)
            case .unchanged: break
            }
        } catch {
            Issue.record("\(error)")
        }
    }

    private mutating func commit(_ mutations: [CommitRequest.Mutation]) {
        _ = engine.commit(CommitRequest(mutations: mutations))
        catchUp()
    }

    // MARK: Reading

    func get(_ kind: ResourceKind, _ name: String, in namespace: String = "default") -> Object? {
        view.object(kind, kind.isNamespaced ? namespace : "", name)
    }

    func all(_ kind: ResourceKind, in namespace: String = "default") -> [Object] {
        kind.isNamespaced ? view.all(kind, in: namespace) : view.all(kind)
    }

    // MARK: Running

    private mutating func catchUp() {
        guard let batch = engine.batch(.all, from: seen + 1) else { return }
        seen = batch.revision
        for change in view.apply(batch) {
            for index in reconcilers.indices {
                var dirty = DirtyKeys()
                reconcilers[index].observe(change, in: view, now: now, dirty: &dirty)
                for key in dirty.keys { queue.add(WorkKey(reconciler: index, reference: key)) }
            }
        }
    }

    /// Reconciles one key; false when there is none.
    @discardableResult
    mutating func step() -> Bool {
        queue.advance(to: monotonic)
        guard let key = queue.take() else { return false }
        var context = ReconcileContext(view: view, now: now, random: random)
        let plan = reconcilers[key.reconciler].reconcile(key.reference, &context)
        random = context.random
        if let delay = plan.requeueAfterMilliseconds {
            queue.add(key, at: monotonic.advanced(milliseconds: delay))
        }
        events += plan.events.map { "\($0.reason) \($0.message)" }
        guard !plan.mutations.isEmpty else { return true }
        let request = CommitRequest(guards: plan.guards, mutations: plan.mutations)
        guard case .committed = engine.commit(request) else {
            Issue.record("a plan on a current view must commit: \(key.reference)")
            return true
        }
        catchUp()
        check?(self)
        return true
    }

    /// Reconciles until nothing is ready; a loop that does not end is recorded.
    mutating func settle(stepsMax: Int = 20_000) {
        for _ in 0..<stepsMax where !step() { return }
        Issue.record("the controllers do not settle")
    }

    /// Lets time pass, and does what falls due in it.
    mutating func wait(seconds: Int64) {
        let end = now.adding(seconds: seconds)
        while let next = queue.nextTime(), next.nanoseconds <= UInt64(end.microseconds) * 1000 {
            now = max(now, WallTime(microseconds: Int64(next.nanoseconds / 1000) + 1))
            settle()
        }
        now = max(now, end)
        settle()
    }
}
