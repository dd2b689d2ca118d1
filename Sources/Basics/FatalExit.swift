/// Exit codes that a supervisor must not answer by starting the process again.
package enum FatalExit: Int32, Sendable {
    /// A sync to disk failed: what the kernel reads back is not to be trusted.
    case syncFailed = 70
    /// The directory belongs to another cluster or has a newer format.
    case foreignDirectory = 71
    /// Corruption that cannot be repaired here.
    case corrupt = 72
}
