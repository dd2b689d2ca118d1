import CMartlet
import Glibc

/// Runs `body` on a detached thread with this name.
func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) {
    final class Box: Sendable {
        let name: String
        let body: @Sendable () -> Void
        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
    var thread = pthread_t()
    let box = unsafe Unmanaged.passRetained(Box(name, body)).toOpaque()
    let result = unsafe pthread_create(
        &thread, nil,
        { raw in
            guard let raw = unsafe raw else { return nil }
            let box = unsafe Unmanaged<Box>.fromOpaque(raw).takeRetainedValue()
            unsafe martlet_name_thread(box.name)
            box.body()
            return nil
        }, box)
    precondition(result == 0, "pthread_create: \(result)")
    pthread_detach(thread)
}

/// Waits for the signals that end a process, on a thread of its own.
package enum StopSignals {
    /// Blocks them in this thread and those that it starts later: call it first of all.
    package static func block() {
        var set = signals
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
    }

    /// Calls `action` at each SIGINT or SIGTERM.
    static func whenRaised(_ action: @escaping @Sendable () -> Void) {
        startThread("signals") {
            var set = signals
            var raised: Int32 = 0
            while true {
                if unsafe sigwait(&set, &raised) == 0 { action() }
            }
        }
    }

    private static var signals: sigset_t {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, SIGINT)
        unsafe sigaddset(&set, SIGTERM)
        return set
    }
}
