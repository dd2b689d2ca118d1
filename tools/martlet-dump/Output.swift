import Documents
import Basics
import Glibc

/// Lines on standard output, buffered; as text or as JSON documents.
final class Output {
    let isJSON: Bool
    private var buffer: Bytes = []

    init(isJSON: Bool) {
        self.isJSON = isJSON
    }

    /// The same fact for people and for programs.
    func line(_ text: @autoclosure () -> String, _ json: @autoclosure () -> JSON) {
        write(isJSON ? json().bytes() : Bytes(text().utf8))
    }

    func write(_ bytes: Bytes) {
        buffer += bytes
        buffer.append(UInt8(ascii: "\n"))
        if buffer.count > 1 << 16 { flush() }
    }

    func flush() {
        var offset = 0
        while offset < buffer.count {
            let count = unsafe buffer.withUnsafeBytes { raw in
                unsafe Glibc.write(
                    STDOUT_FILENO, raw.baseAddress.map { unsafe $0 + offset },
                    raw.count - offset)
            }
            // Nobody reads any more: the pipe of a `head`, for example.
            if count < 0 { exit(0) }
            offset += count
        }
        buffer = []
    }

    static func complain(_ text: String) {
        let bytes = Bytes((text + "\n").utf8)
        _ = unsafe bytes.withUnsafeBytes {
            unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count)
        }
    }

    /// Sixteen lower-case digits.
    static func hexadecimal(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// `1.2 MiB` and the like.
    static func size(_ bytes: Int64) -> String {
        if bytes < 1024 { return "\(bytes) B" }
        var value = bytes
        var units = ["KiB", "MiB", "GiB", "TiB"][...]
        while value >= 1024 * 1024, units.count > 1 {
            value /= 1024
            units = units.dropFirst()
        }
        let tenths = value * 10 / 1024
        return "\(tenths / 10).\(tenths % 10) \(units.first ?? "")"
    }
}

extension String {
    /// Padded on the right.
    func column(_ width: Int) -> String {
        self + String(repeating: " ", count: Swift.max(0, width - count))
    }

    /// Padded on the left.
    func number(_ width: Int) -> String {
        String(repeating: " ", count: Swift.max(0, width - count)) + self
    }
}
