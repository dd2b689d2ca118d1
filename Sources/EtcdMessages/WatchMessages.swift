package import Basics
package import Keyspace

/// What a client says on a watch stream.
package enum WatchStreamRequest: Sendable, ProtobufEncodable, ProtobufDecodable {
    case create(WatchCreateRequest)
    case cancel(watchID: Int64)
    case progress
    /// Nothing that we know.
    case other

    package static var messageName: String { "WatchRequest" }

    package func encode(to writer: inout ProtobufWriter) {
        switch self {
        case .create(let request): writer.write(1, request)
        case .cancel(let watchID):
            var inner = ProtobufWriter()
            inner.write(1, watchID)
            writer.writeElement(2, inner.bytes)
        case .progress: writer.writeElement(3, [])
        case .other: break
        }
    }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        self = .other
        while let field = try reader.next() {
            switch field {
            case 1: self = .create(try WatchCreateRequest(within: &reader))
            case 2:
                var inner = try reader.message("WatchCancelRequest")
                var watchID: Int64 = 0
                while let field = try inner.next() {
                    if field == 1 { watchID = try inner.signed() } else { try inner.skip() }
                }
                self = .cancel(watchID: watchID)
            case 3:
                _ = try EmptyRequest(within: &reader)
                self = .progress
            default: try reader.skip()
            }
        }
    }
}

package struct WatchCreateRequest: Sendable, ProtobufEncodable, ProtobufDecodable {
    package var watch: WatchRequest
    package var wantsProgress = false
    /// 0 lets the server choose.
    package var watchID: Int64 = 0
    /// Large answers may come in pieces.
    package var allowsFragments = false

    package init(_ watch: WatchRequest) {
        self.watch = watch
    }

    package static var messageName: String { "WatchCreateRequest" }

    package func encode(to writer: inout ProtobufWriter) {
        writer.write(1, watch.range.etcdKey)
        writer.write(2, watch.range.etcdRangeEnd)
        writer.write(3, watch.startRevision)
        writer.write(4, wantsProgress)
        var filters = Bytes()
        if watch.excludesPuts { filters.append(0) }
        if watch.excludesDeletes { filters.append(1) }
        writer.write(5, filters)
        writer.write(6, watch.wantsPrevious)
        writer.write(7, watchID)
        writer.write(8, allowsFragments)
    }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        self.init(WatchRequest(.key([])))
        var key = Bytes()
        var rangeEnd = Bytes()
        while let field = try reader.next() {
            switch field {
            case 1: key = try reader.bytes()
            case 2: rangeEnd = try reader.bytes()
            case 3: watch.startRevision = try reader.signed()
            case 4: wantsProgress = try reader.bool()
            case 5:
                for filter in try reader.numbers() {
                    if filter == 0 { watch.excludesPuts = true }
                    if filter == 1 { watch.excludesDeletes = true }
                }
            case 6: watch.wantsPrevious = try reader.bool()
            case 7: watchID = try reader.signed()
            case 8: allowsFragments = try reader.bool()
            default: try reader.skip()
            }
        }
        // etcd reads an empty key as the least one.
        watch.range = KeyRange(etcdKey: key.isEmpty ? [0] : key, rangeEnd: rangeEnd)
    }
}

/// What the server says on a watch stream.
package struct WatchStreamResponse: Sendable, ProtobufEncodable, ProtobufDecodable {
    package var header: ResponseHeader
    package var watchID: Int64
    package var created = false
    package var canceled = false
    package var compactRevision: Int64 = 0
    package var cancelReason = ""
    package var isFragment = false
    package var events: [Event] = []

    package init(header: ResponseHeader, watchID: Int64) {
        self.header = header
        self.watchID = watchID
    }

    package static var messageName: String { "WatchResponse" }

    package func encode(to writer: inout ProtobufWriter) {
        writer.write(1, header)
        writer.write(2, watchID)
        writer.write(3, created)
        writer.write(4, canceled)
        writer.write(5, compactRevision)
        writer.write(6, cancelReason)
        writer.write(7, isFragment)
        for event in events { writer.write(11, event) }
    }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        self.init(header: ResponseHeader(), watchID: 0)
        while let field = try reader.next() {
            switch field {
            case 1: header = try ResponseHeader(within: &reader)
            case 2: watchID = try reader.signed()
            case 3: created = try reader.bool()
            case 4: canceled = try reader.bool()
            case 5: compactRevision = try reader.signed()
            case 6: cancelReason = try reader.text()
            case 7: isFragment = try reader.bool()
            case 11: events.append(try Event(within: &reader))
            default: try reader.skip()
            }
        }
    }
}
