import NIOCore

extension HTTP2Connection {
    /// Carries out what a stream's holder asked for; on the event loop.
    func apply(_ command: HTTP2Stream.Command, to stream: HTTP2Stream) {
        if case .open(let request, let endsRequest, let receiver) = command {
            stream.loopResponseReceiver = receiver
            open(request, endsRequest, stream)
            return scheduleFlush()
        }
        guard !stream.loopIsClosed else { return applyToClosed(command, stream) }
        switch command {
        case .open:
            break
        case .head(let status, let headers):
            sendHead(stream, status, headers, endsStream: false)
        case .data(let bytes):
            queue(bytes, on: stream)
        case .end(let trailers):
            end(stream, trailers)
        case .respond(let status, let headers, let body, let trailers):
            let isEmpty = body == nil && trailers.fields.isEmpty
            sendHead(stream, status, headers, endsStream: isEmpty)
            if let body { queue(body, on: stream) }
            if isEmpty { stream.loopIsEnded = true } else { end(stream, trailers) }
        case .reset(let errorCode):
            let dropped = stream.loopDropQueue()
            bufferedBytes -= dropped
            session?.submitReset(stream: stream.loopID, errorCode: errorCode)
        case .consumed(let count):
            let count = min(count, stream.loopUnconsumed)
            stream.loopUnconsumed -= count
            if count > 0 { session?.consume(stream: stream.loopID, count) }
        case .whenWritable(let callback):
            stream.loopWritableCallbacks.append(callback)
            noteWritable(stream)
        }
        scheduleFlush()
    }

    private func applyToClosed(_ command: HTTP2Stream.Command, _ stream: HTTP2Stream) {
        switch command {
        case .data(let bytes): stream.subtractBuffered(bytes.readableBytes)
        case .respond(_, _, let body?, _): stream.subtractBuffered(body.readableBytes)
        default: break
        }
    }

    private func open(_ request: HTTPClientRequest, _ endsRequest: Bool, _ stream: HTTP2Stream) {
        guard !isClosed,
            let id = session?.submitRequest(
                request, authority: authority, scheme: scheme, endsStream: endsRequest)
        else {
            let error =
                isClosed
                ? HTTPError.connectionClosed
                : HTTPError(.refused, "connection takes no more requests")
            return finish(stream, error)
        }
        stream.loopID = id
        stream.loopHasHead = true
        stream.loopIsEnded = endsRequest
        streams[id] = stream
    }

    private func sendHead(
        _ stream: HTTP2Stream, _ status: Int, _ headers: HTTPHeaders, endsStream: Bool
    ) {
        guard !stream.loopHasHead else { return }
        stream.loopHasHead = true
        session?.submitResponse(
            stream: stream.loopID, status: status, headers: headers, endsStream: endsStream)
    }

    private func queue(_ bytes: ByteBuffer, on stream: HTTP2Stream) {
        guard stream.loopHasHead, !stream.loopIsEnded, !stream.loopDropsBody else {
            return stream.subtractBuffered(bytes.readableBytes)
        }
        if stream.loopQueue.isEmpty { stream.loopLastProgress = .now() }
        stream.loopQueue.append(bytes)
        stream.loopQueuedBytes += bytes.readableBytes
        bufferedBytes += bytes.readableBytes
        resume(stream)
    }

    private func end(_ stream: HTTP2Stream, _ trailers: HTTPHeaders) {
        guard stream.loopHasHead, !stream.loopIsEnded else { return }
        stream.loopIsEnded = true
        stream.loopTrailers = trailers
        resume(stream)
    }

    private func resume(_ stream: HTTP2Stream) {
        guard stream.loopIsDeferred else { return }
        stream.loopIsDeferred = false
        session?.resume(stream: stream.loopID)
    }

    /// Remembers to call a sender back when this tick's bytes have left.
    func noteWritable(_ stream: HTTP2Stream) {
        if !stream.loopWritableCallbacks.isEmpty,
            stream.loopQueuedBytes <= HTTPLimits.streamLowWaterBytes
        {
            writableStreams.append(stream)
        }
    }

    /// The end of a stream, told to whoever holds it if the exchange was not complete.
    func finish(_ stream: HTTP2Stream, _ error: HTTPError) {
        guard !stream.loopIsClosed else { return }
        stream.loopIsClosed = true
        bufferedBytes -= stream.loopDropQueue()
        if stream.loopUnconsumed > 0 { session?.consumeConnection(stream.loopUnconsumed) }
        stream.loopUnconsumed = 0
        stream.loopWritableCallbacks = []
        let receiver = stream.loopReceiver
        let responseReceiver = stream.loopResponseReceiver
        stream.loopReceiver = nil
        stream.loopResponseReceiver = nil
        if let receiver, !stream.loopSentEnd { receiver.cancelled() }
        if let responseReceiver, !stream.loopRemoteEnded { responseReceiver.failed(error) }
    }
}
