import Documents
import Basics
import Keyspace
import Objects
import Store

/// Lists and watches the pods bound to this node. The gate on the API port may show no others;
/// where it shows all, the rest is dropped here.
struct PodWatcher: Sendable {
    let store: any Store
    let nodeName: String
    let mailbox: Mailbox<AgentMessage>

    func run() async {
        while !Task.isCancelled {
            do throws(StoreError) {
                try await watch(from: try await list() + 1)
            } catch {
                try? await Task.sleep(for: .milliseconds(300))
            }
        }
    }

    private func list() async throws(StoreError) -> Int64 {
        let response = try await store.range(RangeRequest(ResourceKind.pod.prefix(namespace: nil)))
        var uids: Set<String> = []
        for keyValue in response.keyValues {
            guard let pod = own(keyValue) else { continue }
            uids.insert(pod.uid)
            mailbox.post(.pod(pod))
        }
        mailbox.post(.listed(uids: uids))
        return response.revision
    }

    private func watch(from revision: Int64) async throws(StoreError) {
        let request = WatchRequest(ResourceKind.pod.prefix(namespace: nil), startRevision: revision)
        let stream = store.watch(request)
        defer { stream.cancel() }
        while !Task.isCancelled {
            let batch = try await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    stream.next(bytesMax: 1 << 20) { continuation.resume(returning: $0) }
                }
            } onCancel: {
                stream.cancel()
            }.get()
            for event in batch.events {
                switch event.kind {
                case .put: if let pod = own(event.keyValue) { mailbox.post(.pod(pod)) }
                case .delete: mailbox.post(.podGone(key: event.keyValue.key))
                }
            }
        }
    }

    private func own(_ keyValue: KeyValue) -> Object? {
        guard let pod = try? Object.decode(keyValue),
            pod.spec["nodeName"]?.stringValue == nodeName
        else { return nil }
        return pod
    }
}
