import Basics
import EtcdMessages
import HTTP
import Keyspace
import NIOCore

/// One watcher on a gRPC stream of its own, so that HTTP/2's window holds back what is not pulled.
///
/// A connection that breaks ends the watcher with `unavailable`; watch again from the revision
/// after the last batch's.
final class RemoteWatch: WatchStream {
    typealias Answer = @Sendable (Result<WatchBatch, StoreError>) -> Void

    private struct State {
        var stream: GRPCClientStream?
        var receiver: Receiver?
        var ready: [(batch: WatchBatch, bytes: Int)] = []
        var failure: StoreError?
        var waiter: Answer?
    }

    private let state = Locked(State())
    private let channel: GRPCChannel
    private let hasExactProgress: Bool

    init(_ channel: GRPCChannel, _ request: WatchRequest, hasExactProgress: Bool) {
        self.channel = channel
        self.hasExactProgress = hasExactProgress
        let receiver = Receiver(self, from: request.startRevision)
        // A server that has lost the majority is left: it would be silent, and seem to be idle.
        let stream = channel.stream(
            "/etcdserverpb.Watch/Watch", receiver: receiver, headers: ["hasleader": "true"])
        state.withLock {
            $0.stream = stream
            $0.receiver = receiver
        }
        var create = WatchCreateRequest(request)
        create.wantsProgress = true
        stream.send(WatchStreamRequest.create(create).protobufBytes)
    }

    deinit {
        state.withLock { $0.stream }?.cancel()
    }

    /// `bytesMax` is the server's business here: a batch is one message.
    func next(bytesMax: Int, _ done: @escaping Answer) {
        enum Next {
            case batch(WatchBatch, Int, GRPCClientStream?)
            case failure(StoreError)
            case wait
        }
        let next: Next = state.withLock { state in
            if !state.ready.isEmpty {
                let (batch, bytes) = state.ready.removeFirst()
                return .batch(batch, bytes, state.stream)
            }
            if let failure = state.failure { return .failure(failure) }
            precondition(state.waiter == nil, "one call of next at a time")
            state.waiter = done
            return .wait
        }
        switch next {
        case .batch(let batch, let bytes, let stream):
            stream?.consumed(messageBytes: bytes)
            done(.success(batch))
        case .failure(let error): done(.failure(error))
        case .wait: break
        }
    }

    /// A server whose answer could overtake events is not asked: what has come so far is exact.
    func requestProgress() {
        let (stream, receiver) = state.withLock { ($0.stream, $0.receiver) }
        if hasExactProgress {
            stream?.send(WatchStreamRequest.progress.protobufBytes)
        } else {
            channel.eventLoop.execute { receiver?.reportProgress() }
        }
    }

    func cancel() {
        let stream = state.withLock { $0.stream }
        fail(StoreError(.cancelled, "etcdserver: watch canceled"))
        stream?.cancel()
    }

    private func deliver(_ batch: WatchBatch, bytes: Int) {
        let (waiter, stream) = state.withLock { state in
            let waiter = state.waiter
            state.waiter = nil
            if waiter == nil { state.ready.append((batch, bytes)) }
            return (waiter, state.stream)
        }
        guard let waiter else { return }
        stream?.consumed(messageBytes: bytes)
        waiter(.success(batch))
    }

    private func fail(_ error: StoreError) {
        let waiter: Answer? = state.withLock { state in
            if state.failure == nil { state.failure = error }
            let waiter = state.waiter
            state.waiter = nil
            return waiter
        }
        waiter?(.failure(error))
    }

    /// Holds the watch weakly: a watch that is dropped ends its stream.
    private final class Receiver: GRPCClientReceiver, @unchecked Sendable {
        // Sendable because `revision` is used on the channel's event loop only.
        private weak let watch: RemoteWatch?
        /// The watcher is complete up to here; nil until the server says what "now" is.
        private var revision: Int64?

        init(_ watch: RemoteWatch, from startRevision: Int64) {
            self.watch = watch
            revision = startRevision > 0 ? startRevision - 1 : nil
        }

        func receive(_ message: Bytes) {
            guard let watch else { return }
            let response: WatchStreamResponse
            do throws(DecodingFailure) {
                response = try WatchStreamResponse(protobuf: message)
            } catch {
                return watch.fail(StoreError(.corrupt, "answer to a watch: \(error)"))
            }
            if response.canceled {
                watch.fail(Self.reason(response))
                return
            }
            if response.created {
                // Everything before "now" is none of this watcher's business.
                if revision == nil { revision = response.header.revision }
                watch.consumed(message.count)
                return
            }
            // etcd's header may be ahead of the events; their own revisions are not. An answer
            // without events is a progress report, which is exact.
            let last = response.events.last?.keyValue.modRevision ?? response.header.revision
            let reached = max(revision ?? 0, last)
            revision = reached
            watch.deliver(
                WatchBatch(events: response.events, revision: reached), bytes: message.count)
        }

        func reportProgress() {
            guard let watch, watch.state.withLock({ $0.ready.isEmpty }) else { return }
            watch.deliver(WatchBatch(events: [], revision: revision ?? 0), bytes: 0)
        }

        func finished(_ status: GRPCStatus) {
            watch?.fail(
                status.code == .ok
                    ? StoreError(.unavailable, "watch ended by the server") : StoreError(status))
        }

        private static func reason(_ response: WatchStreamResponse) -> StoreError {
            if response.compactRevision > 0 {
                return .compacted(at: response.compactRevision)
            }
            let reason = response.cancelReason
            if reason == StoreError.permissionDenied.message { return .permissionDenied }
            if reason == StoreError.compacted(at: 0).message { return .compacted(at: 0) }
            return StoreError(
                .unavailable, reason.isEmpty ? "watch ended by the server" : reason)
        }
    }

    private func consumed(_ bytes: Int) {
        state.withLock { $0.stream }?.consumed(messageBytes: bytes)
    }
}
