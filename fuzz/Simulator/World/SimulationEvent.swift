import Basics
import Raft

/// What can happen next. Replicas are named by id; an event of an earlier process of a replica is
/// void.
enum SimulationEvent: Sendable {
    case tick(node: UInt64, epoch: Int)
    case deliver(Bytes, to: UInt64)
    case logDone(node: UInt64, epoch: Int)
    case snapshotStreamed(StateImage, from: UInt64, to: UInt64, term: UInt64, epoch: Int)
    case restart(node: UInt64, epoch: Int)
    case fault
    case replacementStep
    case clientStart(Int)
    case clientRequest(operation: Int, node: UInt64)
    case clientReply(operation: Int, reply: ClientReply)
    case clientTimeout(operation: Int)
}
