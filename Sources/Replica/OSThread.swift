import CMartlet
import Glibc

/// A thread of the operating system, for work that blocks: Swift's own threads must not.
@safe final class OSThread: @unchecked Sendable {
    // Sendable because the handle is written before the object is shared.
    private var handle = pthread_t()

    /// What a thread leaves to others where processors are short; the number is its niceness.
    enum Urgency: CInt {
        /// On the way of a write, a heartbeat or a keep-alive.
        case first = 0
        /// Somebody waits, and there may be much of it: a flood of lists must not depose a leader.
        case reads = 5
        /// Nobody waits, and it takes long.
        case background = 10

        /// Linux has a niceness for each thread; 0 is the one that calls.
        fileprivate func apply() {
            guard self != .first else { return }
            setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, rawValue)
        }
    }

    private final class Start {
        let name: String
        let urgency: Urgency
        let body: () -> Void

        init(_ name: String, _ urgency: Urgency, _ body: @escaping () -> Void) {
            self.name = name
            self.urgency = urgency
            self.body = body
        }
    }

    private init() {}

    /// - Parameter name: at most 15 bytes are shown.
    static func start(
        _ name: String, _ urgency: Urgency = .first, _ body: @escaping @Sendable () -> Void
    ) -> OSThread {
        let thread = OSThread()
        let start = unsafe Unmanaged.passRetained(Start(name, urgency, body))
        let result = unsafe pthread_create(
            &thread.handle, nil,
            { raw in
                guard let raw = unsafe raw else { return nil }
                let start = unsafe Unmanaged<Start>.fromOpaque(raw).takeRetainedValue()
                unsafe martlet_name_thread(start.name)
                start.urgency.apply()
                start.body()
                return nil
            }, start.toOpaque())
        precondition(result == 0, "pthread_create: \(result)")
        return thread
    }

    /// Waits for the end of the thread. Once.
    func join() {
        pthread_join(handle, nil)
    }
}
