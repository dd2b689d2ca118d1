import Basics
import HTTP
import NIOCore
import Synchronization

/// As many requests under way as there are lanes, until the time or the number of requests is up.
///
/// A request counts when its answer is gRPC OK and says what it must: a write the revision, a read
/// something.
final class ClosedLoad: @unchecked Sendable {
    // Sendable because everything runs on one event loop.
    let workload: Workload
    let headers: HTTPHeaders
    private let requestsMax: Int
    var random: SeededRandom
    private var end = MonotonicTime(nanoseconds: 0)
    private(set) var begun = 0
    private var lanes = 0
    private var failed = 0
    private var firstFailure = ""
    private var bytes = 0
    private var newestRevision: Int64 = 0
    private var writes = 0
    /// Microseconds of each request that succeeded.
    private var times: [UInt32] = []
    private var done: (() -> Void)?

    /// - Parameter token: Of a user, as `Authenticate` gave it; empty for none.
    init(_ workload: Workload, seed: UInt64, requestsMax: Int, token: String) {
        self.workload = workload
        var headers: HTTPHeaders = ["content-type": "application/grpc", "te": "trailers"]
        if !token.isEmpty { headers.add("token", token) }
        self.headers = headers
        self.requestsMax = requestsMax
        random = SeededRandom(seed: seed)
        times.reserveCapacity(1 << 20)
    }

    /// Answers the report.
    func run(
        on connections: [HTTPClientConnection], streams: Int, milliseconds: UInt64
    ) async -> String {
        let start = MonotonicTime.now()
        end = start.advanced(milliseconds: milliseconds)
        await withCheckedContinuation { continuation in
            connections[0].eventLoop.execute {
                self.lanes = connections.count * streams
                self.done = { continuation.resume() }
                for (position, connection) in connections.enumerated() {
                    for number in 0..<streams {
                        guard self.workload.kind == .keepAlive else {
                            Lane(self, connection).next()
                            continue
                        }
                        let lease = Workload.lease(position * streams + number)
                        KeepAliveLane(self, lease: lease).begin(connection)
                    }
                }
            }
        }
        let seconds = Double(MonotonicTime.now().nanoseconds - start.nanoseconds) / 1e9
        return Report(
            times: times, failed: failed, firstFailure: firstFailure, seconds: seconds,
            bytes: bytes, writes: writes, revision: newestRevision
        ).json
    }

    /// The next request of a lane; nil when it is over.
    func next() -> Workload.Request? {
        guard MonotonicTime.now() < end, requestsMax == 0 || begun < requestsMax else {
            laneEnded()
            return nil
        }
        begun += 1
        return workload.request(begun - 1, &random)
    }

    func laneEnded() {
        lanes -= 1
        if lanes == 0 { done?() }
    }

    func finished(_ request: Workload.Request, _ answer: Lane.Answer, since start: MonotonicTime) {
        bytes += answer.bytes
        if let failure = answer.failure ?? answer.lack(of: request) {
            failed += 1
            if firstFailure.isEmpty { firstFailure = failure }
            return
        }
        if request.writes { writes += 1 }
        newestRevision = max(newestRevision, answer.revision)
        let nanoseconds = MonotonicTime.now().nanoseconds - start.nanoseconds
        times.append(UInt32(clamping: nanoseconds / 1000))
    }
}
