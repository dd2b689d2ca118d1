import CMartlet
import Glibc

/// A thread of the operating system, for work that blocks: Swift's own threads must not.
@safe final class OSThread: @unchecked Sendable {
    // Sendable because the handle is written before the object is shared.
    private var handle = pthread_t()

    private final class Start {
        let name: String
        let isBackground: Bool
        let body: () -> Void

        init(_ name: String, _ isBackground: Bool, _ body: @escaping () -> Void) {
            self.name = name
            self.isBackground = isBackground
            self.body = body
        }
    }

    private init() {}

    /// What background threads leave to those on the way of a write.
    private static let backgroundNiceness: CInt = 10

    /// Linux has a niceness for each thread; 0 is the one that calls.
    private static func stepBack() {
        setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, backgroundNiceness)
    }

    /// - Parameters:
    ///   - name: at most 15 bytes are shown.
    ///   - isBackground: whether nobody waits for its work, which takes long.
    static func start(
        _ name: String, isBackground: Bool = false, _ body: @escaping @Sendable () -> Void
    ) -> OSThread {
        let thread = OSThread()
        let start = unsafe Unmanaged.passRetained(Start(name, isBackground, body))
        let result = unsafe pthread_create(
            &thread.handle, nil,
            { raw in
                guard let raw = unsafe raw else { return nil }
                let start = unsafe Unmanaged<Start>.fromOpaque(raw).takeRetainedValue()
                unsafe martlet_name_thread(start.name)
                if start.isBackground { OSThread.stepBack() }
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
