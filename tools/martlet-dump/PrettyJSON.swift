import Documents
import Basics

/// JSON over several lines, two spaces deep.
enum PrettyJSON {
    static func bytes(_ json: JSON) -> Bytes {
        var out = Bytes()
        write(json, depth: 0, to: &out)
        return out
    }

    private static func write(_ json: JSON, depth: Int, to out: inout Bytes) {
        switch json {
        case .object(let object) where !object.isEmpty:
            out.append(UInt8(ascii: "{"))
            for (index, member) in object.members.enumerated() {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                newLine(depth + 1, to: &out)
                JSON.write(member.key, to: &out)
                out += Bytes(": ".utf8)
                write(member.value, depth: depth + 1, to: &out)
            }
            newLine(depth, to: &out)
            out.append(UInt8(ascii: "}"))
        case .array(let array) where !array.isEmpty:
            out.append(UInt8(ascii: "["))
            for (index, element) in array.enumerated() {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                newLine(depth + 1, to: &out)
                write(element, depth: depth + 1, to: &out)
            }
            newLine(depth, to: &out)
            out.append(UInt8(ascii: "]"))
        default: out += json.bytes()
        }
    }

    private static func newLine(_ depth: Int, to out: inout Bytes) {
        out.append(UInt8(ascii: "\n"))
        out += Bytes(repeating: UInt8(ascii: " "), count: 2 * depth)
    }
}
