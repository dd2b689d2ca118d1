import CMartlet
import Glibc

/// A thread of the operating system, for work that blocks: Swift's own threads must not.
@safe final class OSThread: @unchecked Sendable {
    // Sendable because the handle is written before the object is shared.
    private var handle = pthread_t()

    private final class Start {
        let name: String
        let body: () -> Void

        init(_ name: String, _ body: @escaping () -> Void) {
            self.name = name
            self.body = body
        }
    }

    private init() {}

    /// - Parameter name: at most 15 bytes are shown.
    static func start(_ name: String, _ body: @escaping @Sendable () -> Void) -> OSThread {
        let thread = OSThread()
        let start = unsafe Unmanaged.passRetained(Start(name, body))
        let result = unsafe pthread_create(
            &thread.handle, nil,
            { raw in
                guard let raw = unsafe raw else { return nil }
                let start = unsafe Unmanaged<Start>.fromOpaque(raw).takeRetainedValue()
                unsafe martlet_name_thread(start.name)
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
