import NIOCore

/// What nghttp2 found in the bytes that came.
extension HTTP2Connection: HTTP2SessionDelegate {
    private func stream(_ id: Int32) -> HTTP2Stream? {
        if let lastStream, lastStream.loopID == id { return lastStream }
        let stream = streams[id]
        lastStream = stream
        return stream
    }

    func beginHeaders(stream id: Int32, opens: Bool) {
        intake.begin()
        guard opens, service != nil else { return }
        let stream = HTTP2Stream(self, id: id)
        streams[id] = stream
        lastStream = stream
    }

    func header(
        stream id: Int32, name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>
    ) {
        unsafe intake.add(name, value, bytesMax: limits.headerBytesMax)
    }

    func endHeaders(stream id: Int32, isTrailers: Bool, endsStream: Bool) {
        let (head, isSame) = intake.finish()
        if !isSame { lastBeginning = nil }
        guard let stream = stream(id) else { return }
        if service != nil {
            if stream.loopReceiver == nil, !stream.loopIsClosed {
                begin(stream, head)
            } else if let fault = endsStream ? head.trailersFault : "headers within a body" {
                refuse(stream, fault)
            }
            if endsStream { endOfData(stream: id) }
            return
        }
        // An interim answer (1xx) comes before the one that counts.
        if head.status >= 100, head.status < 200 { return }
        guard head.bytes <= limits.headerBytesMax else {
            session?.submitReset(stream: id, errorCode: HTTP2ErrorCode.enhanceYourCalm)
            return
        }
        if head.status != 0 {
            stream.loopResponseReceiver?.receiveHead(status: head.status, headers: head.headers)
            if endsStream { end(stream, trailers: [:]) }
        } else if endsStream {
            end(stream, trailers: head.headers)
        }
    }

    /// A request's head is complete.
    private func begin(_ stream: HTTP2Stream, _ head: HTTP2IncomingHead) {
        guard let service else { return }
        guard bufferedBytes <= limits.connectionBufferedBytesMax else {
            stream.loopReceiver = IgnoringReceiver(stream)
            session?.submitReset(stream: stream.loopID, errorCode: HTTP2ErrorCode.refusedStream)
            return
        }
        guard head.bytes <= limits.headerBytesMax else {
            complain("headers of over \(limits.headerBytesMax) bytes are refused", closes: false)
            stream.loopReceiver = IgnoringReceiver(stream)
            return stream.respond(status: 431, headers: ["content-length": "0"], body: nil)
        }
        stream.loopDropsBody = head.method == "HEAD"
        stream.loopBodyBytesLeft = head.contentLength
        if lastBeginning == nil {
            if let fault = head.requestFault { return refuse(stream, fault) }
            lastBeginning = service.handler.beginning(HTTPRequestHead(head, peer: service.peer))
        }
        stream.loopReceiver = lastBeginning?(stream)
    }

    /// A malformed request ends its stream (RFC 9113, 8.1.1), and nothing of it is handed on.
    private func refuse(_ stream: HTTP2Stream, _ fault: String) {
        complain(fault, closes: false)
        if stream.loopReceiver == nil { stream.loopReceiver = IgnoringReceiver(stream) }
        stream.loopIsRefused = true
        session?.submitReset(stream: stream.loopID, errorCode: HTTP2ErrorCode.protocolError)
    }

    func data(stream id: Int32, _ bytes: UnsafeRawBufferPointer) {
        guard let stream = stream(id) else {
            session?.consumeConnection(bytes.count)
            return
        }
        stream.loopUnconsumed += bytes.count
        if let left = stream.loopBodyBytesLeft {
            stream.loopBodyBytesLeft = left - bytes.count
            if left < bytes.count, !stream.loopIsRefused {
                refuse(stream, "a body longer than its content-length")
            }
        }
        if stream.loopIsRefused { return stream.consumed(bytes.count) }
        let buffer = unsafe session?.slice(bytes) ?? ByteBuffer(bytes: bytes)
        if let receiver = stream.loopReceiver {
            receiver.receive(buffer)
        } else if let receiver = stream.loopResponseReceiver {
            receiver.receive(buffer)
        } else {
            stream.consumed(bytes.count)
        }
    }

    func endOfData(stream id: Int32) {
        guard let stream = stream(id), !stream.loopRemoteEnded else { return }
        guard service != nil else { return end(stream, trailers: [:]) }
        stream.loopRemoteEnded = true
        if let left = stream.loopBodyBytesLeft, left > 0, !stream.loopIsRefused {
            refuse(stream, "a body shorter than its content-length")
        }
        if !stream.loopIsRefused { stream.loopReceiver?.receiveEnd() }
    }

    /// The end of an answer.
    private func end(_ stream: HTTP2Stream, trailers: HTTPHeaders) {
        guard !stream.loopRemoteEnded else { return }
        stream.loopRemoteEnded = true
        let receiver = stream.loopResponseReceiver
        stream.loopResponseReceiver = nil
        receiver?.receiveEnd(trailers: trailers)
    }

    func sentEnd(stream id: Int32) {
        guard let stream = stream(id) else { return }
        stream.loopSentEnd = true
        // An early answer: the client need not send the rest of its request.
        if service != nil, !stream.loopRemoteEnded {
            session?.submitReset(stream: id, errorCode: HTTP2ErrorCode.none)
        }
    }

    func closed(stream id: Int32, errorCode: UInt32) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        if lastStream === stream { lastStream = nil }
        let code: HTTPError.Code =
            switch errorCode {
            case HTTP2ErrorCode.refusedStream: .refused
            case HTTP2ErrorCode.cancel: .cancelled
            default: .reset
            }
        finish(stream, HTTPError(code, "stream closed by the peer (HTTP/2 error \(errorCode))"))
    }

    func pingAcknowledged() { awaitsPing = false }

    func goAwayReceived() { isGoingAway = true }

    func sentGoAway(errorCode: UInt32) {
        if errorCode != HTTP2ErrorCode.none { complain("HTTP/2 error \(errorCode)") }
    }

    func read(
        stream id: Int32, into target: UnsafeMutableRawBufferPointer
    ) -> HTTP2Session.ReadResult {
        guard let stream = stream(id) else {
            return HTTP2Session.ReadResult(count: 0, isEnd: true)
        }
        let result = unsafe stream.loopRead(into: target)
        bufferedBytes -= result.count
        noteWritable(stream)
        return result
    }
}

extension HTTPRequestHead {
    fileprivate init(_ head: HTTP2IncomingHead, peer: PeerIdentity?) {
        let (path, query) = HTTPRequestHead.split(target: head.target)
        let authority = head.authority.isEmpty ? head.headers.first("host") ?? "" : head.authority
        self.init(
            method: head.method, path: path, query: query, headers: head.headers,
            authority: authority, isHTTP2: true, peer: peer)
    }
}
