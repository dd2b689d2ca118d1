import Basics
import Objects

/// A pod of this node in the agent's loop.
struct PodEntry {
    /// As last seen in the store.
    var object: Object
    var lifecycle: PodLifecycle
    var isWriting = false
    /// Nothing runs any more: after the last status the object goes.
    var isLeaving = false
    var isForgetting = false
    /// When the pod's sleeper ends; later sleepers find nothing to do.
    var wakeAt: MonotonicTime?
}
