import Basics
import EtcdMessages
import HTTP
import Keyspace
import NIOCore
import Store

/// `Maintenance.Snapshot`: streams a database file of etcd, so that `etcdctl snapshot save` and
/// what restores its files go on working. `martlet store snapshot save` has a format of its own,
/// which is smaller and can be resumed.
struct DatabaseService: Sendable {
    let headers: HeaderSource
    let access: AccessControl
    let admin: any StoreAdmin

    func register(on router: inout GRPCRouter) {
        router.stream("/etcdserverpb.Maintenance/Snapshot") { context, stream in
            RecipeCall(stream) { message in
                do throws(DecodingFailure) {
                    _ = try EmptyRequest(protobuf: message)
                } catch {
                    stream.finish(GRPCStatus(error))
                    return nil
                }
                if let error = access.refusalOfRoot(context) {
                    stream.finish(GRPCStatus(error))
                    return nil
                }
                let transfer = DatabaseTransfer(headers, admin, stream)
                transfer.begin()
                return { transfer.cancel() }
            }
        }
    }
}

/// One client's download. Reads the next piece when the client has taken the one before.
final class DatabaseTransfer: @unchecked Sendable {
    // Sendable because all state belongs to the stream's event loop.

    /// As etcd's.
    private static let pieceBytes = 32 << 10

    private let headers: HeaderSource
    private let admin: any StoreAdmin
    private let stream: GRPCServerStream
    private var opened: OpenedSnapshot?
    private var offset: UInt64 = 0
    private var isOver = false

    init(_ headers: HeaderSource, _ admin: any StoreAdmin, _ stream: GRPCServerStream) {
        self.headers = headers
        self.admin = admin
        self.stream = stream
    }

    func begin() {
        admin.openSnapshot(.etcdDatabase) { result in
            self.stream.eventLoop.execute {
                switch result {
                case .success(let opened):
                    self.opened = opened
                    if self.isOver { self.close() } else { self.sendOn() }
                case .failure(let error):
                    if !self.isOver { self.stream.finish(GRPCStatus(error)) }
                }
            }
        }
    }

    func cancel() {
        isOver = true
        close()
    }

    private func close() {
        if let opened { admin.closeSnapshot(opened.token) }
        opened = nil
    }

    private func sendOn() {
        guard !isOver, let opened else { return }
        while offset < opened.bytes {
            guard stream.isWritable else { return stream.whenWritable { self.sendOn() } }
            switch admin.readSnapshot(opened.token, offset: offset, count: Self.pieceBytes) {
            case .success(let piece) where !piece.isEmpty:
                offset += UInt64(piece.count)
                var message = ProtobufWriter(reserving: piece.count + 64)
                message.write(1, headers.header(revision: opened.revision))
                message.write(2, opened.bytes - offset)
                message.write(3, piece)
                message.write(4, EtcdAPI.etcdVersion)
                stream.send(message.bytes)
            case .success: return fail(StoreError(.corrupt, "the snapshot ends early"))
            case .failure(let error): return fail(error)
            }
        }
        isOver = true
        close()
        stream.finish(.ok)
    }

    private func fail(_ error: StoreError) {
        isOver = true
        close()
        stream.finish(GRPCStatus(error))
    }
}
