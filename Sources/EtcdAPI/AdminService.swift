import Basics
package import HTTP
import Keyspace
import NIOCore
import ReplicaCore
package import Store

/// Martlet's own calls on the store's client port: `martlet.Admin`.
///
/// Snapshot answers messages that are the frames of a snapshot file. ChangeMembers takes a
/// `MemberRequest` and answers the id of the member that it is about as 16 hexadecimal digits;
/// TransferLeadership takes a member id as text of base 16, 0 for the fittest, and answers the new
/// leader's.
package enum AdminService {
    package static let snapshotPath = "/martlet.Admin/Snapshot"
    package static let changeMembersPath = "/martlet.Admin/ChangeMembers"
    package static let transferLeadershipPath = "/martlet.Admin/TransferLeadership"

    package static func register(on router: inout GRPCRouter, admin: any StoreAdmin) {
        router.stream(snapshotPath) { _, stream in
            SnapshotSender(stream, admin.openSnapshot())
        }
        router.unary(changeMembersPath) { request, _, reply in
            do {
                admin.changeMembers(try MemberRequest(decoding: request)) { answer(reply, $0) }
            } catch {
                reply(GRPCStatus(.invalidArgument, "\(error)"))
            }
        }
        router.unary(transferLeadershipPath) { request, _, reply in
            guard let text = String(validating: request, as: UTF8.self),
                let id = UInt64(text, radix: 16)
            else { return reply(GRPCStatus(.invalidArgument, "not a member id")) }
            admin.transferLeadership(to: id) { answer(reply, $0) }
        }
    }

    private static func answer(_ reply: GRPCReply, _ result: Result<UInt64, StoreError>) {
        reply(result) { Bytes(String($0, radix: 16).utf8) }
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
