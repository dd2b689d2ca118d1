import Basics
import EtcdMessages
import HTTP
import Keyspace
import NIOCore

/// One `LeaseKeepAlive` stream for every keep-alive of a store, opened when there is one to send.
final class RemoteKeepAlives: Sendable {
    typealias Completion = @Sendable (Result<LeaseStatus, StoreError>) -> Void

    private struct State {
        var stream: GRPCClientStream?
        /// Answers come in the order of the questions of one lease.
        var waiting: [(id: Int64, done: Completion)] = []
        var generation = 0
    }

    private let channel: GRPCChannel
    private let state = Locked(State())

    init(_ channel: GRPCChannel) {
        self.channel = channel
    }

    func keepAlive(id: Int64, _ done: @escaping Completion) {
        let message = LeaseRequest(id: id).protobufBytes
        // On the channel's loop, so that the order of sending is the order of waiting.
        channel.eventLoop.execute {
            let (open, generation) = self.state.withLock { state in
                state.waiting.append((id, done))
                if state.stream == nil { state.generation += 1 }
                return (state.stream, state.generation)
            }
            if let open { return open.send(message) }
            let stream = self.channel.stream(
                "/etcdserverpb.Lease/LeaseKeepAlive", receiver: Receiver(self, generation))
            self.state.withLock { $0.stream = stream }
            stream.send(message)
        }
    }

    private func received(_ message: Bytes) {
        guard let response = try? LeaseResponse(protobuf: message) else { return }
        let done: Completion? = state.withLock { state in
            guard let index = state.waiting.firstIndex(where: { $0.id == response.id }) else {
                return nil
            }
            return state.waiting.remove(at: index).done
        }
        guard response.ttlSeconds > 0 else {
            done?(.failure(.leaseNotFound))
            return
        }
        done?(
            .success(
                LeaseStatus(
                    id: response.id, grantedTTLSeconds: response.ttlSeconds,
                    remainingTTLSeconds: response.ttlSeconds)))
    }

    private func finished(_ generation: Int, _ status: GRPCStatus) {
        let waiting = state.withLock { state in
            guard state.generation == generation else {
                return [] as [(id: Int64, done: Completion)]
            }
            state.stream = nil
            defer { state.waiting = [] }
            return state.waiting
        }
        let error =
            status.code == .ok ? StoreError(.unavailable, "keep-alive ended") : StoreError(status)
        for (_, done) in waiting { done(.failure(error)) }
    }

    private final class Receiver: GRPCClientReceiver {
        private let owner: RemoteKeepAlives
        private let generation: Int

        init(_ owner: RemoteKeepAlives, _ generation: Int) {
            self.owner = owner
            self.generation = generation
        }

        func receive(_ message: Bytes) {
            owner.state.withLock { $0.stream }?.consumed(messageBytes: message.count)
            owner.received(message)
        }

        func finished(_ status: GRPCStatus) { owner.finished(generation, status) }
    }
}
