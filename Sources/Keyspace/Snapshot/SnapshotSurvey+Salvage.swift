import Basics

extension SnapshotSurvey {
    /// Writes what is intact of a damaged snapshot file into a new one.
    ///
    /// The changes that are lost are named where a later change of the same key is intact: it says
    /// what it replaced. What else stood in the damaged places, only `damage` tells. If anything is
    /// lost, what is left is compacted up to its revision.
    package static func salvage(
        _ path: String, createdMilliseconds: UInt64, to target: String
    ) throws(KeyspaceError) -> (survey: SnapshotSurvey, salvage: Salvage) {
        var assembly = RecordAssembly()
        var whole: [RecordAssembly.Whole] = []
        var leases: [SnapshotReader.Entry] = []
        let survey = try SnapshotSurvey(path) { entry in
            switch entry.table {
            case .records:
                if let record = assembly.take(entry.key, entry.value, page: 0).complete {
                    whole.append(record)
                }
            case .leases: leases.append(entry)
            }
        }
        if let record = assembly.finish().complete { whole.append(record) }
        guard var header = survey.header, var stored = survey.stored else {
            throw KeyspaceError(
                .badSnapshot,
                "\(path) at byte 0: without its header nothing says which cluster and revision the"
                    + " rest is of")
        }
        var last = RecordPosition.none
        whole = whole.filter { record in
            defer { last = max(last, record.position) }
            return last < record.position
        }
        let lost = lost(whole, after: stored.state.compactRevision)
        if !survey.damage.isEmpty {
            stored.state.compactRevision = stored.state.revision
            stored.compactEnd = stored.state.revision
            stored.compactDone = 0
            stored.compactScan = .none
            // Of what is left: whoever loads it computes it.
            stored.contentHash = 0
        }
        header.compactRevision = stored.state.compactRevision
        header.createdMilliseconds = createdMilliseconds
        try write(header, stored, whole, leases, to: target)
        return (
            survey,
            Salvage(
                header: header, lost: lost, foundLoose: 0, foundElsewhere: 0,
                records: whole.count, entriesLost: survey.entriesLost)
        )
    }

    /// Changes that a later one of the same key replaced, and that are not here.
    private static func lost(
        _ whole: [RecordAssembly.Whole], after compacted: Int64
    ) -> [Salvage.LostChange] {
        let here = Set(whole.map(\.position))
        return whole.compactMap { record in
            let before = record.header.previous
            guard before != .none, before.revision > compacted, !here.contains(before) else {
                return nil
            }
            return Salvage.LostChange(
                key: record.key, revision: before.revision, isDelete: false, isCurrent: false)
        }
    }

    private static func write(
        _ header: SnapshotHeader, _ stored: StoredState, _ whole: [RecordAssembly.Whole],
        _ leases: [SnapshotReader.Entry], to path: String
    ) throws(KeyspaceError) {
        var entries: [SnapshotReader.Entry] = []
        for record in whole {
            for chunk in record.chunks {
                entries.append(
                    SnapshotReader.Entry(table: .records, key: chunk.key, value: chunk.value))
            }
        }
        entries += leases
        var rest = entries[...]
        var writer = ChunkedWriter(SnapshotFormat.kind)
        var step = 0
        try ChunkedFile.save(path) { () throws(KeyspaceError) -> Bytes? in
            if step == 0 {
                step = 1
                return writer.header(SnapshotFormat.encode(header, stored))
            }
            if rest.isEmpty {
                step += 1
                return step == 2 ? writer.trailer() : nil
            }
            var content = ByteWriter()
            var count = 0
            // A chunk is of one table, as in a file that was saved.
            let table = rest.first?.table
            while let entry = rest.first, entry.table == table,
                content.count < ChunkedFile.chunkBytes
            {
                content.write(entry.table.rawValue)
                content.writeCounted(entry.key)
                content.writeCounted(entry.value)
                rest.removeFirst()
                count += 1
            }
            return try writer.chunk(content.bytes, entries: count)
        }
    }
}
