import Basics
import EtcdMessages
import HTTP

/// Logs in where a user is given, as `etcdctl --user` does.
enum StoreLogin {
    /// The token for what comes; nil without a user.
    static func token(
        _ user: String?, _ channel: GRPCChannel
    ) async throws(CommandError) -> String? {
        guard let user else { return nil }
        guard let colon = user.firstIndex(of: ":"), colon > user.startIndex else {
            throw CommandError("bad --user: it is NAME:PASSWORD")
        }
        var request = ProtobufWriter()
        request.write(1, String(user[..<colon]))
        request.write(2, String(user[user.index(after: colon)...]))
        let message = request.bytes
        let answer = await withCheckedContinuation { continuation in
            channel.unary("/etcdserverpb.Auth/Authenticate", message) {
                continuation.resume(returning: $0)
            }
        }
        channel.close()
        switch answer {
        case .failure(let status): throw CommandError("login: \(status.message)")
        case .success(let response):
            do throws(DecodingFailure) { return try token(in: response) } catch {
                throw CommandError("login: \(error)")
            }
        }
    }

    private static func token(in response: Bytes) throws(DecodingFailure) -> String {
        var reader = ProtobufReader(response, "AuthenticateResponse")
        var token = ""
        while let field = try reader.next() {
            if field == 2 { token = try reader.text() } else { try reader.skip() }
        }
        return token
    }
}
