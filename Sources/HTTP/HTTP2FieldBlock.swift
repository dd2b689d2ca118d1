import CNGHTTP2

/// Header fields laid out for nghttp2, in memory that is used again for every block.
@safe struct HTTP2FieldBlock {
    private struct Extent {
        var name: Int
        var nameCount: Int
        var valueCount: Int
    }

    private var text: [UInt8] = []
    private var extents: [Extent] = []
    /// What it was laid out for as a whole.
    private var held: (status: Int, headers: HTTPHeaders)?

    /// Lays out an answer's fields, or its trailers with status 0; nothing to do if they are those
    /// that are there.
    mutating func hold(status: Int, _ headers: HTTPHeaders) {
        if let held, held.status == status, held.headers == headers { return }
        begin()
        if status != 0 { add(":status", String(status)) }
        add(headers)
        held = (status, headers)
    }

    mutating func begin() {
        held = nil
        text.removeAll(keepingCapacity: true)
        extents.removeAll(keepingCapacity: true)
    }

    mutating func add(_ name: String, _ value: String) {
        let start = text.count
        text.append(contentsOf: name.utf8)
        let middle = text.count
        text.append(contentsOf: value.utf8)
        extents.append(
            Extent(name: start, nameCount: middle - start, valueCount: text.count - middle))
    }

    /// Adds what HTTP/2 allows; fields that belong to one HTTP/1.1 connection are left out.
    mutating func add(_ headers: HTTPHeaders) {
        for field in headers.fields {
            switch field.name {
            case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade",
                "host":
                continue
            default:
                add(field.name, field.value)
            }
        }
    }

    /// The pointers are good within the call; nghttp2 copies what it keeps.
    mutating func withFields<Result>(
        _ body: (UnsafePointer<nghttp2_nv>?, Int) -> Result
    ) -> Result {
        let extents = extents
        return unsafe text.withUnsafeMutableBufferPointer { text in
            guard let base = text.baseAddress else { return body(nil, 0) }
            return unsafe withUnsafeTemporaryAllocation(
                of: nghttp2_nv.self, capacity: extents.count
            ) { list in
                for (index, extent) in extents.enumerated() {
                    unsafe list.initializeElement(
                        at: index,
                        to: nghttp2_nv(
                            name: base + extent.name,
                            value: base + extent.name + extent.nameCount,
                            namelen: extent.nameCount, valuelen: extent.valueCount, flags: 0))
                }
                return unsafe body(UnsafePointer(list.baseAddress), extents.count)
            }
        }
    }
}
