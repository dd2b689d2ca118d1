import Documents
import Basics
import Keyspace
import Objects

/// Where a paged list goes on: the revision it is pinned to and the next key, relative to the
/// range. Base64url of upstream's JSON.
struct ContinueToken: Sendable, Hashable {
    var revision: Int64
    /// First key of the next page, without the range's prefix.
    var start: Bytes

    var text: String {
        let json: JSON = [
            "v": "meta.k8s.io/v1", "rv": .integer(revision),
            "start": .string(String(decoding: start, as: UTF8.self)),
        ]
        return Base64URL.encode(json.bytes())
    }

    init(revision: Int64, start: Bytes) {
        self.revision = revision
        self.start = start
    }

    init(parsing text: String) throws(APIError) {
        guard let bytes = Base64URL.decode(text), let json = try? JSON.parse(bytes),
            json["v"]?.stringValue == "meta.k8s.io/v1", let revision = json["rv"]?.intValue,
            revision > 0, let start = json["start"]?.stringValue, !start.isEmpty,
            !start.split(separator: "/").contains(where: { $0 == "." || $0 == ".." })
        else { throw .badRequest("continue key is not valid: encoding is invalid") }
        self.revision = revision
        self.start = Bytes(start.utf8)
    }
}

enum Base64URL {
    private static let alphabet = Bytes(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    static func encode(_ bytes: Bytes) -> String {
        var out = Bytes()
        var index = 0
        while index < bytes.count {
            let chunk = bytes[index..<min(index + 3, bytes.count)]
            var word = 0
            for byte in chunk { word = word << 8 | Int(byte) }
            word <<= 8 * (3 - chunk.count)
            for position in 0...chunk.count {
                out.append(alphabet[word >> (18 - 6 * position) & 63])
            }
            index += 3
        }
        return String(decoding: out, as: UTF8.self)
    }

    static func decode(_ text: String) -> Bytes? {
        var out = Bytes()
        var word = 0
        var bits = 0
        for byte in text.utf8 where byte != 0x3d {
            guard let value = alphabet.firstIndex(of: byte) else { return nil }
            word = (word << 6 | value) & 0xffffff
            bits += 6
            if bits >= 8 {
                bits -= 8
                out.append(UInt8(truncatingIfNeeded: word >> bits))
            }
        }
        return out
    }
}
