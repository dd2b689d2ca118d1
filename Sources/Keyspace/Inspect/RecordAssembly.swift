import Basics

/// Puts records together from their chunks, in the order of their keys, and says of each whether
/// it is whole.
struct RecordAssembly {
    struct Problem {
        var position: RecordPosition
        var page: UInt64?
        var reason: String
    }

    struct Whole {
        var position: RecordPosition
        var header: RecordHeader
        var key: Bytes
        var chunks: [(key: Bytes, value: Bytes)]

        /// The content begins with the key, which the first chunk need not hold whole.
        fileprivate mutating func addToKey(_ content: ArraySlice<UInt8>) {
            key += content.prefix(Int(header.keyBytes) - key.count)
        }

        /// As `Record.commitEnd`.
        var commitEnd: Int64 { position.revision + Int64(header.following) }

        /// What the index has to say of the record.
        var hash: UInt64 {
            var hash = RecordHash(position)
            for chunk in chunks {
                hash.add(
                    checksum: chunk.value[..<4].littleEndianWords[0], count: chunk.value.count)
            }
            return hash.value
        }
    }

    struct Step {
        /// The record before is whole.
        var complete: Whole?
        var problems: [Problem] = []
    }

    private var current: Whole?
    private var contentBytes = 0
    private var isDamaged = false

    /// Whether the record so far is intact and has more chunks to come.
    var wantsMore: Bool {
        guard let current, !isDamaged else { return false }
        return contentBytes < current.header.contentBytes
    }

    mutating func take(_ key: Bytes, _ value: Bytes, page: UInt64) -> Step {
        guard let recordKey = unsafe key.withUnsafeBytes({ unsafe RecordKey($0) }) else {
            return Step(problems: [
                Problem(position: .none, page: page, reason: "a record key of \(key.count) bytes")
            ])
        }
        let position = recordKey.position
        var step = Step()
        if current?.position != position || recordKey.chunk == 0 { step = finish() }
        guard Self.isIntact(key, value) else {
            isDamaged = true
            step.problems.append(
                Problem(
                    position: position, page: page,
                    reason: "chunk \(recordKey.chunk) fails its checksum"))
            if recordKey.chunk == 0 { current = nil }
            return step
        }
        if recordKey.chunk == 0 {
            begin(position, key, value, page, &step)
        } else if var whole = current, whole.position == position, !isDamaged {
            guard Int(recordKey.chunk) == whole.chunks.count else {
                isDamaged = true
                step.problems.append(
                    Problem(
                        position: position, page: page,
                        reason: "chunk \(whole.chunks.count) is missing"))
                return step
            }
            whole.chunks.append((key, value))
            whole.addToKey(value[RecordHeader.checksumBytes...])
            contentBytes += value.count - RecordHeader.checksumBytes
            current = whole
        } else if current == nil, !isDamaged {
            isDamaged = true
            step.problems.append(
                Problem(position: position, page: page, reason: "chunk 0 is missing"))
        }
        return step
    }

    private mutating func begin(
        _ position: RecordPosition, _ key: Bytes, _ value: Bytes, _ page: UInt64,
        _ step: inout Step
    ) {
        guard value.count >= RecordHeader.bytes else {
            isDamaged = true
            step.problems.append(
                Problem(position: position, page: page, reason: "the header is cut off"))
            return
        }
        let header = unsafe value.withUnsafeBytes { unsafe $0.loadUnaligned(as: RecordHeader.self) }
        let content = min(header.contentBytes, RecordHeader.firstContentBytes)
        guard value.count == RecordHeader.bytes + content,
            header.hasCommitEnd(at: position.revision)
        else {
            isDamaged = true
            step.problems.append(
                Problem(position: position, page: page, reason: "the header contradicts itself"))
            return
        }
        contentBytes = content
        var whole = Whole(position: position, header: header, key: [], chunks: [(key, value)])
        whole.addToKey(value[RecordHeader.bytes...])
        current = whole
    }

    /// After the last chunk.
    mutating func finish() -> Step {
        defer {
            current = nil
            contentBytes = 0
            isDamaged = false
        }
        guard let current, !isDamaged else { return Step() }
        guard contentBytes == current.header.contentBytes else {
            return Step(problems: [
                Problem(
                    position: current.position, page: nil,
                    reason:
                        "\(contentBytes) of \(current.header.contentBytes) bytes of key and value")
            ])
        }
        return Step(complete: current)
    }

    static func isIntact(_ key: Bytes, _ value: Bytes) -> Bool {
        guard value.count >= RecordHeader.checksumBytes else { return false }
        let stored = value[..<4].littleEndianWords[0]
        return CRC32C.checksum(
            value[RecordHeader.checksumBytes...], continuing: CRC32C.checksum(key)) == stored
    }
}
