/// A thread that does what it is given one after the other, such as an event loop, seen from floors
/// that know none.
package protocol WorkQueue: AnyObject, Sendable {
    func run(_ work: @escaping @Sendable () -> Void)
}
