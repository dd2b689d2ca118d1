package import Basics
package import Keyspace
import ReplicaCore

/// What a simulated client asks.
package enum ClientRequest: Sendable {
    case command(Command)
    case range(RangeRequest)
    case keepAlive(Int64)

    var text: String {
        switch self {
        case .command(.transaction(let request)):
            "transaction, \(request.compares.count) compares, then "
                + (request.success + request.failure).map(Self.text).joined(separator: ", ")
        case .command(let command): "\(command)"
        case .range: "range"
        case .keepAlive(let id): "keep alive \(id)"
        }
    }

    private static func text(_ operation: Operation) -> String {
        switch operation {
        case .put(let put):
            "put \(String(decoding: put.key, as: UTF8.self)) "
                + "\(String(decoding: put.value, as: UTF8.self)) lease \(put.lease)"
        case .deleteRange(let request):
            "delete from \(String(decoding: request.range.start, as: UTF8.self))"
        case .range: "range"
        case .transaction: "transaction"
        }
    }
}

/// What a client hears.
enum ClientReply: Sendable {
    case failed(StoreError)
    case result(CommandResult)
    case range(RangeResponse)
    case keptAlive(Int64)
}

/// One operation of one client, from the call to the end of the run.
package struct ClientOperation: Sendable {
    var client: Int
    var request: ClientRequest
    /// Of a command: names it in the log.
    package var payload: Bytes?
    var called: Int
    var calledAt: UInt64
    var isOpen = true
    /// The client was told that its command is not even proposed.
    package var isRefused = false
    /// A digest of the answer; nil while nothing of use was heard.
    package var answer: UInt64?
    package var returned = Int.max

    package init(client: Int, request: ClientRequest, called: Int, calledAt: UInt64) {
        self.client = client
        self.request = request
        self.called = called
        self.calledAt = calledAt
    }
}

/// A client asks one thing at a time.
struct Client: Sendable {
    /// The replica to ask next; 0 for any.
    var target = 0
    /// Keys as last seen.
    var seen: [KeyValue] = []
    /// Revision last seen.
    var revision: Int64 = 1
    var leases: [Int64] = []
    var successes = 0
    /// After the faults have ended: what it is to reach.
    var successesWanted = Int.max
}
