/// Lets calls go on or ends them, by what is so at the moment: for callers who say that they would
/// rather be refused than wait.
package protocol GRPCCallGate: AnyObject, Sendable {
    /// Whether a call with these headers is the gate's business.
    func concerns(_ headers: HTTPHeaders) -> Bool
    /// Answers why a call is refused, or nil; at once or later, on any thread.
    func refusal(_ answer: @escaping @Sendable (GRPCStatus?) -> Void)
    /// A stream that is to be ended if things come to be so. The gate holds on to none.
    func watch(_ stream: GRPCServerStream)
}
