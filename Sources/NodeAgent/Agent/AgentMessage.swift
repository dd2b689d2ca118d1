import Basics
import Objects

/// What the agent's loop reacts to.
enum AgentMessage: Sendable {
    typealias Input = @Sendable (inout PodLifecycle, MonotonicTime, WallTime) -> [PodAction]

    /// A pod of this node as the store has it.
    case pod(Object)
    case podGone(key: Bytes)
    /// The first complete list of pods, by uid; also sent after the watch had to start anew.
    case listed(uids: Set<String>)
    case runtime(RuntimeEvent)
    /// The answer to an action.
    case input(uid: String, Input)
    case wake(uid: String)
    /// A status was written, or, with a fresher object, could not be.
    case written(uid: String, Object)
    case writeFailed(uid: String)
    /// The object is no longer in the store.
    case removed(uid: String)
    /// The pod's directory is gone.
    case forgotten(uid: String)
    case stopPods(CheckedContinuation<Void, Never>)
    case cancelled
}
