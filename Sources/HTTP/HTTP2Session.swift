import CNGHTTP2
import NIOCore

/// What an nghttp2 session tells its connection. Called from inside `receive` and `produce`.
protocol HTTP2SessionDelegate: AnyObject {
    func beginHeaders(stream: Int32, opens: Bool)
    func header(stream: Int32, name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>)
    func endHeaders(stream: Int32, isTrailers: Bool, endsStream: Bool)
    func data(stream: Int32, _ bytes: UnsafeRawBufferPointer)
    func endOfData(stream: Int32)
    func closed(stream: Int32, errorCode: UInt32)
    func sentEnd(stream: Int32)
    func pingAcknowledged()
    func goAwayReceived()
    func settingsReceived()
    func idleFrameReceived(cost: UInt64)
    /// The peer broke the protocol, and has been told so; the connection ends.
    func sentGoAway(errorCode: UInt32)
    /// Copies bytes to send into `target`.
    func read(stream: Int32, into target: UnsafeMutableRawBufferPointer) -> HTTP2Session.ReadResult
}

/// An nghttp2 session: frames, HPACK and flow control, without IO. One event loop.
///
/// Everything that nghttp2 hands out by pointer is copied or used within the call.
@safe final class HTTP2Session {
    enum Role { case server, client }

    struct ReadResult {
        var count: Int
        /// No bytes now; `resume` says when there are.
        var isDeferred = false
        var isEnd = false
        var trailers: HTTPHeaders?
    }

    private var session: OpaquePointer?
    /// The delegate owns the session, and calls `destroy` before it goes.
    private unowned(unsafe) let delegate: any HTTP2SessionDelegate
    private var fields: HTTP2FieldBlock
    /// Heads and ends of answers, which are nearly always alike.
    private var answerFields = HTTP2FieldBlock()
    private var trailerFields = HTTP2FieldBlock()
    /// Depth of calls into nghttp2 during which it must not be freed.
    private var depth = 0
    private var isDestroyed = false
    /// What is being received, and where its bytes are.
    private var input: (buffer: ByteBuffer, bytes: UnsafeRawBufferPointer)?

    init(role: Role, limits: HTTPLimits, delegate: any HTTP2SessionDelegate) {
        unsafe self.delegate = delegate
        fields = HTTP2FieldBlock()
        var options: OpaquePointer?
        unsafe nghttp2_option_new(&options)
        // The window is given back only as receivers consume.
        unsafe nghttp2_option_set_no_auto_window_update(options, 1)
        unsafe nghttp2_option_set_stream_reset_rate_limit(
            options, limits.resetBurst, limits.resetsPerSecond)
        // `HTTP2IncomingHead` checks what begins and ends a request.
        unsafe nghttp2_option_set_no_http_messaging(options, role == .server ? 1 : 0)
        var callbacks: OpaquePointer?
        unsafe nghttp2_session_callbacks_new(&callbacks)
        unsafe setHTTP2Callbacks(callbacks)
        let user = unsafe Unmanaged.passUnretained(self).toOpaque()
        switch role {
        case .server:
            unsafe nghttp2_session_server_new2(&session, callbacks, user, options)
        case .client:
            unsafe nghttp2_session_client_new2(&session, callbacks, user, options)
        }
        unsafe nghttp2_session_callbacks_del(callbacks)
        unsafe nghttp2_option_del(options)
        submitSettings(role: role, limits: limits)
    }

    deinit {
        precondition(isDestroyed, "HTTP2Session dropped without destroy")
    }

    private func submitSettings(role: Role, limits: HTTPLimits) {
        var entries = [
            setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, UInt32(limits.streamWindowBytes)),
            setting(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, UInt32(limits.headerBytesMax)),
        ]
        if role == .server {
            entries.append(
                setting(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.concurrentStreamsMax))
        } else {
            entries.append(setting(NGHTTP2_SETTINGS_ENABLE_PUSH, 0))
        }
        unsafe nghttp2_submit_settings(session, 0, entries, entries.count)
        unsafe nghttp2_session_set_local_window_size(session, 0, 0, limits.connectionWindowBytes)
    }

    /// Frees the session; what comes after does nothing.
    func destroy() {
        isDestroyed = true
        guard depth == 0 else { return }
        unsafe nghttp2_session_del(session)
        unsafe session = nil
    }

    /// Gives received bytes to nghttp2. Answers why the connection must end, or nil.
    func receive(_ bytes: ByteBuffer) -> String? {
        guard !isDestroyed else { return nil }
        depth += 1
        let result = unsafe bytes.withUnsafeReadableBytes {
            let start = unsafe $0.baseAddress?.assumingMemoryBound(to: UInt8.self)
            unsafe input = (bytes, $0)
            defer { unsafe input = nil }
            return unsafe nghttp2_session_mem_recv(session, start, $0.count)
        }
        leave()
        guard result < 0 else { return nil }
        return unsafe String(cString: nghttp2_strerror(Int32(result)))
    }

    /// Bytes of the body of a request as a part of what is being received, without a copy. Whoever
    /// keeps it keeps all that was received with it.
    func slice(_ part: UnsafeRawBufferPointer) -> ByteBuffer? {
        guard let (buffer, bytes) = unsafe input, let start = bytes.baseAddress,
            let first = part.baseAddress
        else { return nil }
        let offset = unsafe first - start
        guard offset >= 0, offset + part.count <= bytes.count else { return nil }
        return buffer.getSlice(at: buffer.readerIndex + offset, length: part.count)
    }

    /// Appends frames to `out` until about `bytesMax` are there. True if more may be waiting.
    func produce(into out: inout ByteBuffer, bytesMax: Int) -> Bool {
        depth += 1
        defer { leave() }
        while !isDestroyed, out.readableBytes < bytesMax {
            var start: UnsafePointer<UInt8>?
            let count = unsafe nghttp2_session_mem_send(session, &start)
            if count <= 0 { return false }
            unsafe out.writeBytes(UnsafeBufferPointer(start: start, count: count))
        }
        return !isDestroyed
    }

    private func leave() {
        depth -= 1
        if depth == 0, isDestroyed { destroy() }
    }

    /// Neither side has anything left to say.
    var isOver: Bool {
        guard !isDestroyed else { return true }
        return unsafe nghttp2_session_want_read(session) == 0
            && nghttp2_session_want_write(session) == 0
    }

    func submitResponse(stream: Int32, status: Int, headers: HTTPHeaders, endsStream: Bool) {
        guard !isDestroyed else { return }
        answerFields.hold(status: status, headers)
        unsafe answerFields.withFields { start, count in
            var provider = unsafe Self.provider
            if endsStream {
                unsafe nghttp2_submit_response(session, stream, start, count, nil)
            } else {
                unsafe nghttp2_submit_response(session, stream, start, count, &provider)
            }
        }
    }

    /// The new stream's id, or nil if the connection takes no more requests.
    func submitRequest(
        _ request: HTTPClientRequest, authority: String, scheme: String, endsStream: Bool
    ) -> Int32? {
        guard !isDestroyed, unsafe nghttp2_session_check_request_allowed(session) != 0 else {
            return nil
        }
        fields.begin()
        fields.add(":method", request.method)
        fields.add(":scheme", scheme)
        fields.add(":authority", request.authority ?? authority)
        fields.add(":path", request.target)
        fields.add(request.headers)
        let id = unsafe fields.withFields { start, count in
            var provider = unsafe Self.provider
            if endsStream {
                return unsafe nghttp2_submit_request(session, nil, start, count, nil, nil)
            }
            return unsafe nghttp2_submit_request(session, nil, start, count, &provider, nil)
        }
        return id > 0 ? id : nil
    }

    func submitReset(stream: Int32, errorCode: UInt32) {
        guard !isDestroyed else { return }
        unsafe nghttp2_submit_rst_stream(session, 0, stream, errorCode)
    }

    /// Ends the connection: GOAWAY, and nothing more is read.
    func terminate(errorCode: UInt32) {
        guard !isDestroyed else { return }
        unsafe nghttp2_session_terminate_session(session, errorCode)
    }

    func submitPing() {
        guard !isDestroyed else { return }
        unsafe nghttp2_submit_ping(session, 0, nil)
    }

    /// Tells the peer that no more streams are taken; the open ones may end.
    func submitGoAway() {
        guard !isDestroyed else { return }
        let last = unsafe nghttp2_session_get_last_proc_stream_id(session)
        unsafe nghttp2_submit_goaway(session, 0, last, HTTP2ErrorCode.none, nil, 0)
    }

    /// Bytes wait for a stream whose reading was deferred.
    func resume(stream: Int32) {
        guard !isDestroyed else { return }
        unsafe nghttp2_session_resume_data(session, stream)
    }

    func consume(stream: Int32, _ count: Int) {
        guard !isDestroyed else { return }
        unsafe nghttp2_session_consume(session, stream, count)
    }

    /// For bytes of a stream that is gone.
    func consumeConnection(_ count: Int) {
        guard !isDestroyed else { return }
        unsafe nghttp2_session_consume_connection(session, count)
    }
}

/// Error codes of RFC 9113 that are used by name.
enum HTTP2ErrorCode {
    static let none: UInt32 = 0
    static let protocolError: UInt32 = 1
    static let internalError: UInt32 = 2
    static let refusedStream: UInt32 = 7
    static let cancel: UInt32 = 8
    static let enhanceYourCalm: UInt32 = 11
}

private func setting(_ id: nghttp2_settings_id, _ value: UInt32) -> nghttp2_settings_entry {
    nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: value)
}

extension HTTP2Session {
    fileprivate var target: any HTTP2SessionDelegate { unsafe delegate }

    /// nghttp2 pulls the bytes of a stream through this.
    private static var provider: nghttp2_data_provider {
        var provider = unsafe nghttp2_data_provider()
        unsafe provider.read_callback = { _, stream, start, length, flags, _, user in
            guard let start = unsafe start, let flags = unsafe flags, let user = unsafe user else {
                return 0
            }
            return unsafe owner(user).read(stream, start, length, flags)
        }
        return unsafe provider
    }

    private func read(
        _ stream: Int32, _ start: UnsafeMutablePointer<UInt8>, _ length: Int,
        _ flags: UnsafeMutablePointer<UInt32>
    ) -> Int {
        let buffer = unsafe UnsafeMutableRawBufferPointer(start: start, count: length)
        let result = unsafe delegate.read(stream: stream, into: buffer)
        if result.isDeferred { return Int(NGHTTP2_ERR_DEFERRED.rawValue) }
        guard result.isEnd else { return result.count }
        unsafe flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
        if let trailers = result.trailers, !trailers.fields.isEmpty {
            unsafe flags.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
            trailerFields.hold(status: 0, trailers)
            unsafe trailerFields.withFields { start, count in
                _ = unsafe nghttp2_submit_trailer(session, stream, start, count)
            }
        }
        return result.count
    }
}

private func owner(_ user: UnsafeMutableRawPointer) -> HTTP2Session {
    unsafe Unmanaged<HTTP2Session>.fromOpaque(user).takeUnretainedValue()
}

private func setHTTP2Callbacks(_ callbacks: OpaquePointer?) {
    unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, user in
        guard let frame = unsafe frame, let user = unsafe user else { return 0 }
        let category = unsafe frame.pointee.headers.cat
        unsafe owner(user).target.beginHeaders(
            stream: frame.pointee.hd.stream_id, opens: category == NGHTTP2_HCAT_REQUEST)
        return 0
    }
    unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks) {
        _, frame, name, nameCount, value, valueCount, _, user in
        guard let frame = unsafe frame, let user = unsafe user else { return 0 }
        unsafe owner(user).target.header(
            stream: frame.pointee.hd.stream_id,
            name: UnsafeBufferPointer(start: name, count: nameCount),
            value: UnsafeBufferPointer(start: value, count: valueCount))
        return 0
    }
    unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) {
        _, _, stream, start, count, user in
        guard let user = unsafe user else { return 0 }
        unsafe owner(user).target.data(
            stream: stream, UnsafeRawBufferPointer(start: start, count: count))
        return 0
    }
    unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) {
        _, stream, errorCode, user in
        guard let user = unsafe user else { return 0 }
        unsafe owner(user).target.closed(stream: stream, errorCode: errorCode)
        return 0
    }
    unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, user in
        guard let frame = unsafe frame, let user = unsafe user else { return 0 }
        unsafe received(frame.pointee, owner(user).target)
        return 0
    }
    unsafe nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, user in
        guard let frame = unsafe frame, let user = unsafe user else { return 0 }
        let header = unsafe frame.pointee.hd
        if header.type == typeGoAway {
            unsafe owner(user).target.sentGoAway(errorCode: frame.pointee.goaway.error_code)
        }
        guard header.flags & endStream != 0, header.type == typeData || header.type == typeHeaders
        else { return 0 }
        unsafe owner(user).target.sentEnd(stream: header.stream_id)
        return 0
    }
    unsafe nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks) {
        _, frame, _, user in
        guard let frame = unsafe frame, let user = unsafe user else { return 0 }
        let header = unsafe frame.pointee.hd
        if header.type == typeHeaders {
            unsafe owner(user).target.closed(
                stream: header.stream_id, errorCode: HTTP2ErrorCode.refusedStream)
        }
        return 0
    }
}

private let endStream = UInt8(NGHTTP2_FLAG_END_STREAM.rawValue)
private let typeData = UInt8(NGHTTP2_DATA.rawValue)
private let typeHeaders = UInt8(NGHTTP2_HEADERS.rawValue)
private let typeSettings = UInt8(NGHTTP2_SETTINGS.rawValue)
private let typePriority = UInt8(NGHTTP2_PRIORITY.rawValue)
private let typePing = UInt8(NGHTTP2_PING.rawValue)
private let typeGoAway = UInt8(NGHTTP2_GOAWAY.rawValue)

private func received(_ frame: nghttp2_frame, _ delegate: any HTTP2SessionDelegate) {
    let header = unsafe frame.hd
    let ends = header.flags & endStream != 0
    switch header.type {
    case typeData:
        if ends {
            delegate.endOfData(stream: header.stream_id)
        } else if header.length == 0 {
            delegate.idleFrameReceived(cost: HTTPLimits.emptyFrameCost)
        }
    case typeHeaders:
        let category = unsafe frame.headers.cat
        delegate.endHeaders(
            stream: header.stream_id,
            isTrailers: category == NGHTTP2_HCAT_HEADERS, endsStream: ends)
    case typePing:
        if header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0 { delegate.pingAcknowledged() }
        delegate.idleFrameReceived(cost: HTTPLimits.pingCost)
    case typeSettings:
        delegate.settingsReceived()
        delegate.idleFrameReceived(cost: HTTPLimits.settingsCost)
    case typePriority:
        delegate.idleFrameReceived(cost: HTTPLimits.emptyFrameCost)
    case typeGoAway:
        delegate.goAwayReceived()
    default:
        break
    }
}
