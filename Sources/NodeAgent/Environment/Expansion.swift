/// Kubernetes' references in commands, arguments and variables: `$(NAME)` is replaced if NAME is
/// known and stays as it stands if not; `$$` is a plain `$`.
package enum Expansion {
    package static func expand(_ text: String, _ value: (String) -> String?) -> String {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return text }
        let input = Array(text.utf8)
        var output: [UInt8] = []
        var position = 0
        while position < input.count {
            let byte = input[position]
            guard byte == UInt8(ascii: "$"), position + 1 < input.count else {
                output.append(byte)
                position += 1
                continue
            }
            let next = input[position + 1]
            if next == UInt8(ascii: "$") {
                output.append(next)
                position += 2
            } else if next == UInt8(ascii: "("),
                let end = input[(position + 2)...].firstIndex(of: UInt8(ascii: ")"))
            {
                let name = String(decoding: input[(position + 2)..<end], as: UTF8.self)
                let reference = String(decoding: input[position...end], as: UTF8.self)
                output.append(contentsOf: (value(name) ?? reference).utf8)
                position = end + 1
            } else {
                output.append(byte)
                output.append(next)
                position += 2
            }
        }
        return String(decoding: output, as: UTF8.self)
    }
}
