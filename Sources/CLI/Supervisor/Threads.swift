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

/// The signals that end a process, as calls on a thread of their own.
enum StopSignals {
    /// Calls `action` at each SIGINT or SIGTERM.
    static func whenRaised(_ action: @escaping @Sendable () -> Void) {
        let descriptor = martlet_signal_descriptor(false)
        precondition(descriptor >= 0, "no pipe for signals: \(systemMessage(errno))")
        startThread("signals") {
            var byte: UInt8 = 0
            while true {
                let count = unsafe read(descriptor, &byte, 1)
                if count == 1 { action() }
                if count == 0 { return }
            }
        }
    }
}
