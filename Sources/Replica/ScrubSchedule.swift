package import Basics
package import Keyspace

/// What the scrubber reads when: pass after pass over log and keyspace.
///
/// A pass begins with the log. The keyspace is spread over two thirds of the time in which
/// everything is to be read; the rest of it is for slices that end early. The next pass begins when
/// that time is over.
package struct ScrubSchedule: Sendable {
    /// At least so many bytes a second, so that small files are done soon.
    private static let bytesPerSecondMin = 256 << 10
    private static let sliceSeconds: UInt64 = 1

    private let seconds: UInt64
    private var begun: MonotonicTime
    private var pass: (scrubber: Scrubber, bytesPerSlice: Int)?
    /// When the next slice is due; nil is never.
    package private(set) var next: MonotonicTime?
    /// What the newest pass has read of the keyspace.
    package private(set) var report = Scrubber.Report()

    /// - Parameter seconds: everything is read once in this time; 0 is never.
    package init(seconds: UInt64, now: MonotonicTime) {
        self.seconds = seconds
        begun = now
        // A replica that has just started has other things to do.
        next = seconds == 0 ? nil : now.advanced(milliseconds: seconds * 50)
    }

    /// Reads the next slice, if it is due.
    ///
    /// - Parameter keyspace: nil while the replica has none.
    package mutating func turn(
        _ keyspace: Keyspace?, now: () -> MonotonicTime, scrubLog: () -> Void
    ) {
        let time = now()
        guard let due = next, time >= due else { return }
        next = time.advanced(milliseconds: Self.sliceSeconds * 1000)
        guard let keyspace else { return }
        if pass == nil {
            begun = time
            scrubLog()
            let bytes = Self.bytesPerSlice(of: keyspace.fileUsage().bytesInUse, in: seconds)
            pass = (Scrubber(), bytes)
        }
        guard var current = pass else { return }
        do throws(KeyspaceError) {
            let goesOn = try current.scrubber.step(
                keyspace, bytesMax: current.bytesPerSlice, now: now)
            report = current.scrubber.report
            pass = goesOn ? current : nil
        } catch {
            // The keyspace has told the core, which ends.
            pass = nil
        }
        if pass == nil { next = begun.advanced(milliseconds: seconds * 1000) }
    }

    /// So that a pass takes two thirds of its time.
    package static func bytesPerSlice(of bytesInUse: Int64, in seconds: UInt64) -> Int {
        let slices = max(1, seconds * 2 / 3 / sliceSeconds)
        let share = Int(bytesInUse) / Int(slices)
        return max(share, bytesPerSecondMin * Int(sliceSeconds))
    }
}
