import Basics

/// Reads a fuzzer's bytes as changes to a good file, so that inputs get past its checksums to
/// where a torn or a damaged file would.
///
/// Six bytes each: what to do, a position of three bytes, a length, a value.
enum EditScript {
    static func apply(_ script: Bytes, to file: Bytes) -> Bytes {
        var file = file
        var rest = script[...]
        while rest.count >= 6, !file.isEmpty {
            let step = Bytes(rest.prefix(6))
            rest = rest.dropFirst(6)
            let position = (Int(step[1]) << 16 | Int(step[2]) << 8 | Int(step[3])) % file.count
            let end = min(file.count, position + 1 + Int(step[4]))
            switch step[0] % 6 {
            case 0: file[position] ^= max(1, step[5])
            case 1: for index in position..<end { file[index] = 0 }
            case 2: file.removeSubrange(position...)
            case 3: file.insert(contentsOf: file[position..<end], at: position)
            case 4: file.removeSubrange(position..<end)
            default:
                // A sector of elsewhere, as a misdirected write leaves it.
                let from = Int(step[5]) * 512 % file.count
                let to = position / 512 * 512
                for index in 0..<512 where from + index < file.count && to + index < file.count {
                    file[to + index] = file[from + index]
                }
            }
        }
        return file
    }
}
