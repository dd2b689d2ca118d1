import Basics
package import HTTP
import Keyspace
import NIOCore
package import Store

/// Martlet's own calls on the store's client port: `martlet.Admin`.
///
/// Snapshot answers messages that are the frames of a snapshot file. ReplaceMember takes the
/// member's name as UTF-8 and answers its new id as text.
package enum AdminService {
    package static let snapshotPath = "/martlet.Admin/Snapshot"
    package static let replaceMemberPath = "/martlet.Admin/ReplaceMember"

    package static func register(on router: inout GRPCRouter, admin: any StoreAdmin) {
        router.stream(snapshotPath) { _, stream in
            SnapshotSender(stream, admin.openSnapshot())
        }
        router.unary(replaceMemberPath) { request, _, reply in
            guard let name = String(validating: request, as: UTF8.self), !name.isEmpty else {
                reply(GRPCStatus(.invalidArgument, "member name is not text"))
                return
            }
            admin.replaceMember(named: name) { result in
                switch result {
                case .success(let id): reply(Bytes(String(id, radix: 16).utf8))
                case .failure(let error): reply(GRPCStatus(error))
                }
            }
        }
    }
}

/// Sends one frame after another, as fast as the client takes them; lives on the event loop.
///
/// A frame is read from the LMDB map on the loop: 256 KiB cost well under a millisecond, and the
/// next one waits until this one has left.
private final class SnapshotSender: GRPCMessageReceiver, @unchecked Sendable {
    // Sendable because everything happens on the stream's event loop.
    private let stream: GRPCServerStream
    private var frames: (any SnapshotFrames)?

    init(_ stream: GRPCServerStream, _ opened: Result<any SnapshotFrames, StoreError>) {
        self.stream = stream
        switch opened {
        case .success(let frames):
            self.frames = frames
            stream.eventLoop.execute { self.sendNext() }
        case .failure(let error):
            stream.finish(GRPCStatus(error))
        }
    }

    private func sendNext() {
        guard let frames else { return }
        do {
            guard let frame = try frames.next() else {
                self.frames = nil
                stream.finish(.ok)
                return
            }
            stream.send(frame)
            if stream.isWritable {
                stream.eventLoop.execute { self.sendNext() }
            } else {
                stream.whenWritable { self.sendNext() }
            }
        } catch {
            self.frames = nil
            stream.finish(GRPCStatus(error))
        }
    }

    func receive(_ message: Bytes) {}
    func receiveEnd() {}
    func cancelled() { frames = nil }
}
