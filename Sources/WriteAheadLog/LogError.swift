package import Basics

/// Why the log cannot be opened or written; names the file and, for damage, the offset in it.
package struct LogError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        /// The operating system refused a read, write, creation or removal.
        case inputOutput
        /// No space left on the device; nothing of the refused append counts.
        case full
        /// A sync or a write failed: what was written since the last sync may be lost, and what is
        /// read back proves nothing.
        case syncFailed
        /// Another cluster's log, or a format newer than this program.
        case foreign
        /// Damage that is not a torn tail.
        case corrupt
    }

    package var kind: Kind
    package var file: String
    /// Byte offset in the file of what is damaged; 0 when the whole file is meant.
    package var offset: UInt64
    package var reason: String

    package init(_ kind: Kind, file: String, offset: UInt64 = 0, _ reason: String) {
        self.kind = kind
        self.file = file
        self.offset = offset
        self.reason = reason
    }

    /// The code a process ends with that must not simply be started again; nil for the rest.
    package var fatalExit: FatalExit? {
        switch kind {
        case .inputOutput, .full: nil
        case .syncFailed: .syncFailed
        case .foreign: .foreignDirectory
        case .corrupt: .corrupt
        }
    }

    package var description: String {
        kind == .corrupt
            ? "log file \(file) is damaged at byte \(offset): \(reason)"
            : "log file \(file): \(reason)"
    }
}
