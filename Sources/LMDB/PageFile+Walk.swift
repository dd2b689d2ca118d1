package import Basics

extension PageFile {
    static let headerBytes = 16

    package struct Node {
        package var key: Bytes
        package var value: Bytes
        package var page: UInt64
        var flags: UInt64
    }

    private struct Walk {
        var after: Bytes?
        var seen: Set<UInt64> = []
        var last: Bytes?
        var visit: (Node) -> Bool
        var damaged: (Damage) -> Void
    }

    /// Calls `visit` with every node that can be reached, in order, until it answers false; and
    /// `damaged` with every page that cannot be used and everything wrong on those that can.
    ///
    /// - Parameter after: leaves out keys up to this one.
    package func walk(
        _ tree: Tree, after: Bytes?, visit: (Node) -> Bool, damaged: (Damage) -> Void
    ) {
        guard tree.root != .max else { return }
        withoutActuallyEscaping(visit) { visit in
            withoutActuallyEscaping(damaged) { damaged in
                var walk = Walk(after: after, visit: visit, damaged: damaged)
                _ = descend(tree.root, depth: 0, from: nil, to: nil, &walk)
            }
        }
    }

    /// False when the walk is over.
    private func descend(
        _ number: UInt64, depth: Int, from: Bytes?, to: Bytes?, _ walk: inout Walk
    ) -> Bool {
        func bad(_ reason: String) {
            walk.damaged(
                Damage(
                    offset: number &* UInt64(pageBytes), page: number, reason: reason, from: from,
                    to: to))
        }
        guard let page = page(number) else {
            bad("the page lies beyond the end of the file")
            return true
        }
        guard walk.seen.insert(number).inserted, depth < 32 else {
            bad("the page stands in the tree twice")
            return true
        }
        let flags = page[...].number(10, 2)
        guard page[...].number(0, 8) == number, flags & 0x13 == 0x01 || flags & 0x13 == 0x02 else {
            bad("the page is not one of the tree: number \(page[...].number(0, 8)), flags \(flags)")
            return true
        }
        guard let offsets = nodeOffsets(page) else {
            bad("the page's bounds are impossible")
            return true
        }
        return flags & 0x01 != 0
            ? branch(page, number, offsets, depth, from, to, &walk)
            : leaf(page, number, offsets, from, to, &walk)
    }

    /// Where the nodes of a page stand; nil when its bounds are impossible.
    func nodeOffsets(_ page: Bytes) -> [Int]? {
        let lower = Int(page[...].number(12, 2))
        let upper = Int(page[...].number(14, 2))
        guard lower >= Self.headerBytes, lower <= upper, upper <= pageBytes, lower % 2 == 0 else {
            return nil
        }
        return stride(from: Self.headerBytes, to: lower, by: 2).map {
            Int(page[...].number($0, 2))
        }
    }

    private func branch(
        _ page: Bytes, _ number: UInt64, _ offsets: [Int], _ depth: Int, _ from: Bytes?,
        _ to: Bytes?, _ walk: inout Walk
    ) -> Bool {
        var children: [(key: Bytes, page: UInt64)] = []
        for offset in offsets {
            guard let (key, _) = nodeKey(page, offset) else {
                walk.damaged(
                    Damage(
                        offset: number * UInt64(pageBytes) + UInt64(offset), page: number,
                        reason: "a branch's node is impossible", from: children.last?.key ?? from,
                        to: to))
                continue
            }
            let child =
                page[...].number(offset, 2) | page[...].number(offset + 2, 2) << 16
                | page[...].number(offset + 4, 2) << 32
            children.append((key, child))
        }
        for (index, child) in children.enumerated() {
            let low = index == 0 ? from : child.key
            let high = index + 1 < children.count ? children[index + 1].key : to
            if let after = walk.after, let high, !isOrderedBefore(after, high) { continue }
            if !descend(child.page, depth: depth + 1, from: low, to: high, &walk) { return false }
        }
        return true
    }

    private func leaf(
        _ page: Bytes, _ number: UInt64, _ offsets: [Int], _ from: Bytes?, _ to: Bytes?,
        _ walk: inout Walk
    ) -> Bool {
        for offset in offsets {
            guard let node = leafNode(page, number, offset) else {
                walk.damaged(
                    Damage(
                        offset: number * UInt64(pageBytes) + UInt64(offset), page: number,
                        reason: "a leaf's node is impossible", from: walk.last ?? from, to: to))
                continue
            }
            let isLow = from.map { isOrderedBefore(node.key, $0) } ?? false
            let isHigh = to.map { !isOrderedBefore(node.key, $0) } ?? false
            let isBack = walk.last.map { !isOrderedBefore($0, node.key) } ?? false
            if isLow || isHigh || isBack {
                walk.damaged(
                    Damage(
                        offset: number * UInt64(pageBytes) + UInt64(offset), page: number,
                        reason: "a key stands out of order", from: from, to: to))
                // The checksum of the value covers the key: it may still be of use.
                if !walk.visit(node) { return false }
                continue
            }
            walk.last = node.key
            if let after = walk.after, !isOrderedBefore(after, node.key) { continue }
            if !walk.visit(node) { return false }
        }
        return true
    }

    private func nodeKey(_ page: Bytes, _ offset: Int) -> (key: Bytes, end: Int)? {
        guard offset >= Self.headerBytes, offset + 8 <= pageBytes else { return nil }
        let end = offset + 8 + Int(page[...].number(offset + 6, 2))
        guard end <= pageBytes else { return nil }
        return (Bytes(page[(offset + 8)..<end]), end)
    }

    /// A leaf's node with its value, wherever that stands; nil if it is impossible.
    func leafNode(_ page: Bytes, _ number: UInt64, _ offset: Int) -> Node? {
        guard let (key, end) = nodeKey(page, offset) else { return nil }
        let flags = page[...].number(offset + 4, 2)
        let count = Int(page[...].number(offset, 2) | page[...].number(offset + 2, 2) << 16)
        if flags & 0x01 == 0 {
            guard end + count <= pageBytes else { return nil }
            return Node(
                key: key, value: Bytes(page[end..<(end + count)]), page: number, flags: flags)
        }
        guard end + 8 <= pageBytes else { return nil }
        let overflow = page[...].number(end, 8)
        let place = overflow &* UInt64(pageBytes)
        guard overflow > 1, place < fileBytes, UInt64(count) < fileBytes - place else { return nil }
        let content = bytes(at: place, count: Self.headerBytes + count)
        guard content.count == Self.headerBytes + count, content[...].number(0, 8) == overflow,
            content[...].number(10, 2) & 0x04 != 0
        else { return nil }
        return Node(
            key: key, value: Bytes(content[Self.headerBytes...]), page: number, flags: flags)
    }

    /// Byte of the file at which the value of a leaf's node stands; nil if it is empty or not on
    /// the node's page.
    package func offset(of node: Node) -> UInt64? {
        guard !node.value.isEmpty, let page = page(node.page), let offsets = nodeOffsets(page)
        else { return nil }
        for offset in offsets {
            guard let (key, end) = nodeKey(page, offset), key == node.key,
                page[...].number(offset + 4, 2) & 0x01 == 0
            else { continue }
            return node.page * UInt64(pageBytes) + UInt64(end)
        }
        return nil
    }

    /// Calls `visit` with the nodes of every page of the file that looks like a leaf, in a tree or
    /// not: pages that a damaged branch does not lead to any more, and pages that are free.
    package func salvage(_ visit: (Node) -> Void) {
        var number: UInt64 = 2
        while number * UInt64(pageBytes) < fileBytes {
            if let page = page(number), page[...].number(0, 8) == number,
                page[...].number(10, 2) & 0x17 == 0x02, let offsets = nodeOffsets(page)
            {
                for offset in offsets {
                    if let node = leafNode(page, number, offset) { visit(node) }
                }
            }
            number += 1
        }
    }
}
