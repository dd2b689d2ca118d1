import Basics

/// One call under way; a value that costs nothing on a router that does not count.
struct GRPCCallMeter: Sendable {
    private let method: GRPCMethodMetrics?
    private let start: MonotonicTime
    private let budget: MemoryBudget?
    /// Bytes of the request, which are the budget's until the call ends.
    private var chargedBytes = 0

    init(_ method: GRPCMethodMetrics?, budget: MemoryBudget? = nil) {
        self.method = method
        self.budget = budget
        start = method == nil ? MonotonicTime(nanoseconds: 0) : .now()
        method?.started.add()
    }

    /// False when requests and answers take too much already.
    mutating func charge(_ bytes: Int) -> Bool {
        guard let budget else { return true }
        chargedBytes += bytes
        return budget.take(bytes)
    }

    func received(messageBytes: Int) { method?.received(messageBytes: messageBytes) }
    func sent(messageBytes: Int) { method?.sent(messageBytes: messageBytes) }

    /// Once.
    func ended(_ code: GRPCStatus.Code) {
        method?.ended(code, since: start)
        if chargedBytes > 0 { budget?.give(chargedBytes) }
    }
}
