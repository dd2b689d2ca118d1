import Basics
import Glibc
import HTTP

/// Where a download that was cut off goes on: lies beside the unfinished file as `FILE.part.from`.
/// The replica keeps what it made for ten minutes.
struct SnapshotResumeNote: Equatable {
    var endpoint: GRPCChannel.Endpoint
    var token: UInt64
    /// Of the whole snapshot.
    var bytes: UInt64

    static func path(of part: String) -> String { part + ".from" }

    init(endpoint: GRPCChannel.Endpoint, token: UInt64, bytes: UInt64) {
        self.endpoint = endpoint
        self.token = token
        self.bytes = bytes
    }

    /// nil where there is none, or another file.
    init?(beside part: String) {
        guard let text = try? Files.readText(Self.path(of: part)) else { return nil }
        let words = text.split(whereSeparator: { $0 == " " || $0 == "\n" })
        guard words.count == 4, let port = Int(words[1]), let token = UInt64(words[2], radix: 16),
            let bytes = UInt64(words[3])
        else { return nil }
        self.init(
            endpoint: GRPCChannel.Endpoint(host: String(words[0]), port: port), token: token,
            bytes: bytes)
    }

    func write(beside part: String) throws(CommandError) {
        let text = "\(endpoint.host) \(endpoint.port) \(hexadecimal(token)) \(bytes)\n"
        try Files.write(Self.path(of: part), text: text, mode: 0o600)
    }

    static func remove(beside part: String) {
        unsafe unlink(path(of: part))
    }
}
