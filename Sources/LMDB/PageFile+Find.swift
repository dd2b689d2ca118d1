package import Basics

extension PageFile {
    /// The value under a key; nil when there is none, or no way to it that is intact.
    package func find(_ key: Bytes, in tree: Tree) -> Bytes? {
        var number = tree.root
        for _ in 0..<32 {
            guard number != .max, let page = page(number), page[...].number(0, 8) == number,
                let offsets = nodeOffsets(page), !offsets.isEmpty
            else { return nil }
            let flags = page[...].number(10, 2)
            if flags & 0x13 == 0x02 {
                guard let place = position(of: key, page, offsets, isBranch: false),
                    let node = leafNode(page, number, offsets[place]), node.key == key
                else { return nil }
                return node.value
            }
            guard flags & 0x13 == 0x01,
                let place = position(of: key, page, offsets, isBranch: true)
            else { return nil }
            let offset = offsets[place]
            guard offset + 8 <= pageBytes else { return nil }
            number =
                page[...].number(offset, 2) | page[...].number(offset + 2, 2) << 16
                | page[...].number(offset + 4, 2) << 32
        }
        return nil
    }

    /// The last node whose key is not after `key`. A branch's first key counts as before all.
    private func position(
        of key: Bytes, _ page: Bytes, _ offsets: [Int], isBranch: Bool
    ) -> Int? {
        var low = isBranch ? 1 : 0
        var high = offsets.count
        while low < high {
            let middle = (low + high) / 2
            guard let isAfter = isAfter(page, offsets[middle], key) else { return nil }
            if isAfter { high = middle } else { low = middle + 1 }
        }
        return low == 0 ? nil : low - 1
    }

    /// Whether the node's key is after `key`, byte by byte, without copying it.
    private func isAfter(_ page: Bytes, _ offset: Int, _ key: Bytes) -> Bool? {
        guard offset >= Self.headerBytes, offset + 8 <= pageBytes else { return nil }
        let count = Int(page[...].number(offset + 6, 2))
        let start = offset + 8
        guard start + count <= pageBytes else { return nil }
        for index in 0..<min(count, key.count) where page[start + index] != key[index] {
            return page[start + index] > key[index]
        }
        return count > key.count
    }
}
