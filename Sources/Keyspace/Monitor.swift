import Glibc

/// A value behind a mutex, with a condition to wait for.
@safe final class Monitor<Value>: @unchecked Sendable {
    // Sendable because every access goes through `withLock`.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    /// Behind a pointer, as in `Locked`.
    private let value: UnsafeMutablePointer<Value>
    private var waiters = 0

    init(_ value: consuming sending Value) {
        unsafe mutex = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe condition = .allocate(capacity: 1)
        unsafe condition.initialize(to: pthread_cond_t())
        let results = unsafe (
            pthread_mutex_init(mutex, nil), pthread_cond_init(condition, nil)
        )
        precondition(results == (0, 0), "pthread: \(results)")
        unsafe self.value = .allocate(capacity: 1)
        unsafe self.value.initialize(to: value)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
        unsafe value.deinitialize(count: 1)
        unsafe value.deallocate()
    }

    func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return unsafe try body(&value.pointee)
    }

    /// Waits until `body` answers something. It is asked again after each `wakeAll`.
    func wait<Result>(_ body: (inout Value) -> Result?) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        while true {
            if let result = unsafe body(&value.pointee) { return result }
            waiters += 1
            unsafe pthread_cond_wait(condition, mutex)
            waiters -= 1
        }
    }

    /// After a change that somebody may wait for, which may be made here.
    func wakeAll(_ change: (inout Value) -> Void = { _ in }) {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        unsafe change(&value.pointee)
        if waiters > 0 { unsafe pthread_cond_broadcast(condition) }
    }
}
