import Basics
import Keyspace

/// What a simulated client wants.
enum ClientAction: Sendable, Hashable {
    case put(key: Int)
    case delete(key: Int)
    /// Put if the key has the value that this client saw last.
    case compareAndPut(key: Int, expected: Int)
    /// One transaction that puts two keys.
    case putTwo(Int, Int)
    case read(key: Int)
    /// A plugin's commit on keys of its own, and housekeeping: not part of the histories, but of
    /// the state that must agree.
    case commit(first: Int, guarded: Bool)
    case compact
}

/// What a client hears.
enum ClientReply: Sendable {
    /// It took no effect.
    case failed(leaderHint: UInt64)
    case done(CommandResult)
    case value(Bytes?)
}

/// One operation of one client, from the call to the end of the run.
struct ClientOperation: Sendable {
    var client: Int
    var action: ClientAction
    var called: Int
    /// Where the leader put the command, if it was accepted.
    var index: UInt64?
    var term: UInt64?
    var isOpen = true
    /// What goes into the histories; nil if it took no effect.
    var outcome: RegisterOperation.Outcome? = .unknown
    var returned = Int.max
}

/// A client asks one thing at a time.
struct Client: Sendable {
    /// The replica to ask next; 0 for any.
    var target: UInt64 = 0
    /// Values last seen, by key.
    var seen: [Int]
    var successes = 0
}
