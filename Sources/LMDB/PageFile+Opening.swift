/// What has to be in order before LMDB opens a file.
///
/// LMDB believes its meta pages: a page that they lead to beyond the end of the file ends the
/// process with a bus error, and with a last page that is too low pages in use are written over.
extension PageFile {
    /// The first thing that is wrong; nil for a file that LMDB can open. Takes a few reads, however
    /// large the file: damage further down is met, and told from data, by whoever reads there.
    package func damageAtOpening() -> Damage? {
        let (metas, damage) = metas()
        if let first = damage.first { return first }
        guard let newest = metas.first, let older = metas.last else { return nil }
        if newest.transaction - older.transaction > 1 || newest.lastPage < older.lastPage {
            return Damage(
                offset: 0, page: 0,
                reason: "the meta pages contradict each other: transactions"
                    + " \(older.transaction) and \(newest.transaction), last pages"
                    + " \(older.lastPage) and \(newest.lastPage)")
        }
        return cutOff(newest) ?? damagedRoot(newest)
    }

    /// Pages at the end that were free before they were ever written need not be there.
    private func cutOff(_ meta: Meta) -> Damage? {
        let whole = fileBytes / UInt64(pageBytes)
        guard whole <= meta.lastPage else { return nil }
        let free = freePages(meta, from: whole)
        guard let missing = (whole...meta.lastPage).first(where: { !free.contains($0) }) else {
            return nil
        }
        return Damage(
            offset: fileBytes, page: missing,
            reason: "the file ends before page \(missing), which is in use; the last one is"
                + " \(meta.lastPage)")
    }

    /// Free pages from a number on. Each value of the table is a count and so many numbers.
    private func freePages(_ meta: Meta, from lowest: UInt64) -> Set<UInt64> {
        var free: Set<UInt64> = []
        walk(meta.free, after: nil) { node in
            for offset in stride(from: 8, to: node.value.count - 7, by: 8) {
                let number = node.value[...].number(offset, 8)
                if number >= lowest { free.insert(number) }
            }
            return true
        } damaged: { _ in
            // Its keys are numbers, which do not stand in the order of their bytes.
        }
        return free
    }

    private func damagedRoot(_ meta: Meta) -> Damage? {
        var first: Damage?
        for tree in [meta.free, meta.main] + tables(meta, { first = first ?? $0 }).map(\.tree) {
            first = first ?? rootDamage(of: tree)
        }
        return first
    }

    private func rootDamage(of tree: Tree) -> Damage? {
        guard tree.root != .max else { return nil }
        guard let page = page(tree.root) else {
            return Damage(
                offset: fileBytes, page: tree.root, reason: "the file ends before a tree's root")
        }
        let flags = page[...].number(10, 2)
        guard page[...].number(0, 8) == tree.root, flags & 0x13 == 0x01 || flags & 0x13 == 0x02
        else {
            return Damage(
                offset: tree.root * UInt64(pageBytes), page: tree.root,
                reason: "the root of a tree is not one of its pages")
        }
        return nil
    }
}
