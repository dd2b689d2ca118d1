package import Basics

/// What one port grants its peers.
package struct HTTPLimits: Sendable {
    /// A sender above this waits for `whenWritable`, which fires under the low-water mark.
    package static let streamHighWaterBytes = 256 * 1024
    package static let streamLowWaterBytes = 16 * 1024

    /// Read and dropped of an HTTP/1.1 request that is answered already; net/http's limit.
    static let droppedBodyBytesMax = 256 * 1024

    /// Lines about peers that misbehave, at once and a second.
    static let logLinesBurst: UInt64 = 50
    static let logLinesPerSecond: UInt64 = 5

    /// What an HTTP/2 frame costs that asks for nothing.
    static let pingCost: UInt64 = 1
    static let emptyFrameCost: UInt64 = 5
    static let settingsCost: UInt64 = 50

    /// Open connections of the port; whoever comes then waits until another goes.
    package var connectionsMax = 10_000
    /// Frames that ask for nothing, by their cost: at once, and a second. A client that measures
    /// its bandwidth sends a ping a round trip.
    package var idleFrameBurst: UInt64 = 10_000
    package var idleFramesPerSecond: UInt64 = 5_000
    /// Memory of requests and answers, shared by all ports of the process; nil: not counted.
    package var budget: MemoryBudget?

    /// Open requests of one connection; more are refused.
    package var concurrentStreamsMax: UInt32 = 1000
    /// Names and values of one request's headers; more is answered 431.
    package var headerBytesMax = 64 * 1024
    /// Bytes of one request's body in flight: received and not consumed.
    package var streamWindowBytes: Int32 = 1024 * 1024
    package var connectionWindowBytes: Int32 = 8 * 1024 * 1024
    /// Answers waiting for one connection's client; above it no more streams are taken.
    package var connectionBufferedBytesMax = 32 * 1024 * 1024
    /// A client that takes nothing of a waiting answer for so long is dropped.
    package var writeTimeoutSeconds: Int64 = 60
    /// TLS handshake and first request head.
    package var handshakeTimeoutSeconds: Int64 = 10
    /// An HTTP/1.1 connection without a request is closed after this.
    package var idleTimeoutSeconds: Int64 = 300
    /// Cancelled requests: so many at once, and so many a second; a client above it is cut off.
    package var resetBurst: UInt64 = 2000
    package var resetsPerSecond: UInt64 = 200
    /// Time that open requests have to end when the server stops.
    package var drainSeconds: Int64 = 3

    package init() {}
}
