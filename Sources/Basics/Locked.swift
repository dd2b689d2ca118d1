import Glibc

/// A value behind a pthread mutex.
///
/// `Synchronization.Mutex` of Swift 6.3 takes the priority-inheritance futex path on Linux, which
/// is slow under contention; this is the one place that knows.
@safe package final class Locked<Value: ~Copyable>: @unchecked Sendable {
    // Sendable because every access goes through `withLock`.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    /// Behind a pointer: the mutex sees to exclusive access already, and having Swift check it once
    /// more at run time costs as much as the lock.
    private let value: UnsafeMutablePointer<Value>

    package init(_ value: consuming sending Value) {
        unsafe mutex = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        let result = unsafe pthread_mutex_init(mutex, nil)
        precondition(result == 0, "pthread_mutex_init: \(result)")
        unsafe self.value = .allocate(capacity: 1)
        unsafe self.value.initialize(to: value)
    }

    deinit {
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
        unsafe value.deinitialize(count: 1)
        unsafe value.deallocate()
    }

    package func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return unsafe try body(&value.pointee)
    }
}
