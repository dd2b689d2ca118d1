import Documents
import Basics
import HTTP
import Keyspace
import Objects
import Store

extension ResourceService {
    /// Between bookmarks of a watch that wants them.
    private static let bookmarkSeconds: Int64 = 60
    private static let defaultWatchSeconds: Int64 = 1800

    func watch(_ context: RequestContext, _ writer: HTTPResponseWriter) async throws(APIError) {
        let options = try ResourceVersionOptions(context.query, isWatch: true)
        let selection = try Selection(context)
        let seconds = try timeout(context.query)
        var session = WatchSession(
            selection: selection, representation: context.representation, writer: writer)
        session.sendsBookmarks = context.query.flag("allowWatchBookmarks")
        let sendsInitialEvents = context.query.flag("sendInitialEvents")
        let isContinuation = (options.version ?? 0) > 0 && !sendsInitialEvents
        var start = options.version ?? 0
        var initial: [StoredItem] = []
        if !isContinuation, !context.query.has("sendInitialEvents") || sendsInitialEvents {
            let page = try await initialPage(context, selection, options)
            start = page.revision
            initial = page.items
        } else if start == 0 {
            start = try await range(RangeRequest(selection.watchRange, limit: 1)).revision
        }
        metrics.watchStarted()
        defer { metrics.watchEnded() }
        writer.start(
            status: 200,
            headers: ["content-type": "application/json", "cache-control": "no-cache, private"])
        do {
            for item in initial { try await session.send("ADDED", item) }
            if sendsInitialEvents { try await session.sendBookmark(start, endsInitial: true) }
            try await follow(&session, from: start, seconds: seconds)
        } catch {
            // The client is gone; there is nobody to tell.
        }
        writer.finish()
    }

    private func timeout(_ query: QueryParameters) throws(APIError) -> Int64 {
        guard let text = query["timeoutSeconds"] else {
            return Self.defaultWatchSeconds + Int64.random(in: 0...Self.defaultWatchSeconds)
        }
        guard let seconds = Int64(text) else {
            throw .badRequest("strconv.ParseInt: parsing \"\(text)\": invalid syntax")
        }
        return seconds > 0 ? seconds : Self.defaultWatchSeconds
    }

    private func initialPage(
        _ context: RequestContext, _ selection: Selection, _ options: ResourceVersionOptions
    ) async throws(APIError) -> Page {
        var request = RangeRequest(selection.watchRange)
        request.isSerializable = options.version == 0
        var response = try await range(request)
        if let version = options.version, version > response.revision {
            request.isSerializable = false
            response = try await range(request)
            guard response.revision >= version else {
                throw .resourceVersionTooLarge(asked: version, current: response.revision)
            }
        }
        var page = Page(revision: response.revision, items: [])
        for keyValue in response.keyValues {
            let item = try StoredItem(kind: selection.kind, keyValue: keyValue)
            if try selection.matches(item) { page.items.append(item) }
        }
        return page
    }

    private func follow(
        _ session: inout WatchSession, from start: Int64, seconds: Int64
    ) async throws {
        let stream = store.watch(
            WatchRequest(
                session.selection.watchRange, startRevision: start + 1, wantsPrevious: true))
        session.writer.onCancel { stream.cancel() }
        let deadline = MonotonicTime.now().advanced(milliseconds: UInt64(seconds) * 1000)
        let timer = Task {
            // Wakes the pending `next`, which waits for events only.
            while !Task.isCancelled {
                let left = deadline.millisecondsLeft()
                if left <= 0 { break }
                let nap = min(left, Self.bookmarkSeconds * 1000)
                try? await Task.sleep(for: .milliseconds(nap))
                stream.requestProgress()
            }
        }
        defer {
            timer.cancel()
            stream.cancel()
        }
        while !session.writer.isCancelled {
            do {
                let batch = try await stream.next()
                for event in batch.events { try await session.send(event) }
                if batch.events.isEmpty, session.sendsBookmarks {
                    try await session.sendBookmark(batch.revision, endsInitial: false)
                }
            } catch let error as StoreError {
                if error.code == .cancelled { return }
                return try await session.sendError(Self.watchError(error, start: start))
            }
            if deadline.millisecondsLeft() <= 0 { return }
        }
    }

    private static func watchError(_ error: StoreError, start: Int64) -> APIError {
        guard error.code == .compacted else { return APIError(error) }
        return .tooOld(asked: start, oldest: error.compactRevision)
    }
}

extension MonotonicTime {
    fileprivate func millisecondsLeft() -> Int64 {
        let now = MonotonicTime.now()
        return now < self ? Int64(milliseconds(since: now)) : 0
    }
}

/// One watch on its way to one client.
struct WatchSession {
    let selection: Selection
    let representation: Representation
    let writer: HTTPResponseWriter
    var sendsBookmarks = false
    /// A table's columns go out with the first event only.
    private var hasSentHeaders = false

    init(selection: Selection, representation: Representation, writer: HTTPResponseWriter) {
        self.selection = selection
        self.representation = representation
        self.writer = writer
    }

    mutating func send(_ type: String, _ item: StoredItem) async throws {
        var out = Bytes()
        out.reserveCapacity(item.stored.value.count + 96)
        out += Bytes("{\"type\":\"\(type)\",\"object\":".utf8)
        try representation.append(item, to: &out, withHeaders: !hasSentHeaders)
        out += Bytes("}\n".utf8)
        hasSentHeaders = true
        try await writer.write(out)
    }

    /// What the change means to this watch: an object that leaves the selection is deleted for it.
    mutating func send(_ event: Event) async throws {
        let current = event.keyValue
        let kind = selection.kind
        do throws(APIError) {
            let before = try event.previous.map { keyValue throws(APIError) in
                // Clients see the old object with the revision at which it went.
                try StoredItem(
                    kind: kind, key: keyValue.key, value: keyValue.value,
                    revision: current.modRevision)
            }
            let wasSelected = try before.map(selection.matches) ?? false
            guard event.kind == .put else {
                if let before, wasSelected { try await sendChecked("DELETED", before) }
                return
            }
            let after = try StoredItem(kind: kind, keyValue: current)
            if try selection.matches(after) {
                let isNew = current.createRevision == current.modRevision
                // Without the previous value a change counts as one within the selection.
                let wasThere = before == nil ? !isNew && selection.isEverything : wasSelected
                try await sendChecked(wasThere ? "MODIFIED" : "ADDED", after)
            } else if let before, wasSelected {
                try await sendChecked("DELETED", before)
            }
        } catch {
            if writer.isCancelled { throw error }
            try await sendError(error)
        }
    }

    private mutating func sendChecked(_ type: String, _ item: StoredItem) async throws(APIError) {
        do {
            try await send(type, item)
        } catch let error as APIError {
            throw error
        } catch {
            throw .internalError("\(error)")
        }
    }

    func sendError(_ error: APIError) async throws {
        var out = Bytes("{\"type\":\"ERROR\",\"object\":".utf8)
        error.status.write(to: &out)
        try await writer.write(out + Bytes("}\n".utf8))
    }

    func sendBookmark(_ revision: Int64, endsInitial: Bool) async throws {
        var metadata: JSON = ["resourceVersion": .string(String(revision))]
        if endsInitial { metadata["annotations"] = ["k8s.io/initial-events-end": "true"] }
        var object: JSON = [
            "kind": .string(selection.kind.kind), "apiVersion": .string(selection.kind.apiVersion),
            "metadata": metadata,
        ]
        switch representation.form {
        case .full: break
        case .metadata: object = representation.metadataJSON(object)
        case .table:
            object = representation.table(
                selection.kind.kind, [], metadata: metadata, withHeaders: false)
            // Clients read the annotations of a table's bookmark from its only row.
            if endsInitial {
                let row: JSON = [
                    "cells": [], "object": representation.metadataJSON(["metadata": metadata]),
                ]
                object["rows"] = [row]
            }
        }
        var out = Bytes("{\"type\":\"BOOKMARK\",\"object\":".utf8)
        object.write(to: &out)
        try await writer.write(out + Bytes("}\n".utf8))
    }
}
