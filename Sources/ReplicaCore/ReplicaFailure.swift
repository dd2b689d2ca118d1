package import Basics
package import Keyspace
package import WriteAheadLog

/// Why a replica could not start, or had to stop.
package struct ReplicaFailure: Error, Sendable, CustomStringConvertible {
    /// Set for the conditions that a restart cannot mend.
    package var fatalExit: FatalExit?
    package var description: String
    /// This replica is no member of its cluster any more.
    package var isRemoval = false
    /// The keyspace file is damaged here: it is rebuilt at the next start.
    package var damage: String?

    package init(_ fatalExit: FatalExit?, _ description: String) {
        self.fatalExit = fatalExit
        self.description = description
    }

    package static func removed(_ directory: String) -> ReplicaFailure {
        var failure = ReplicaFailure(
            .foreignDirectory,
            "this replica was removed from the cluster; \(directory) is of no more use to it")
        failure.isRemoval = true
        return failure
    }

    /// Nothing acknowledged is lost: the next start finds all of it in the log.
    package static func noSpace(_ place: String) -> ReplicaFailure {
        ReplicaFailure(nil, "no space left on \(place): free some and start again")
    }

    /// What the process ends with; 1 if it may be started again.
    package var exitCode: Int32 { fatalExit?.rawValue ?? 1 }

    package init(_ error: LogError) {
        if error.kind == .full {
            self = .noSpace(error.file)
        } else {
            self.init(error.fatalExit, error.description)
        }
    }

    package init(_ error: KeyspaceError) {
        if error.code == .noSpace {
            self = .noSpace("the keyspace's file system (\(error.message))")
            return
        }
        let fatal: FatalExit? =
            switch error.code {
            case .corrupt: .corrupt
            case .foreignFormat: .foreignDirectory
            case .syncFailed: .syncFailed
            default: nil
            }
        self.init(fatal, error.message)
        if error.code == .corrupt { damage = error.message }
    }

    package init(wrapping error: any Error) {
        switch error {
        case let failure as ReplicaFailure: self = failure
        case let failure as LogError: self.init(failure)
        case let failure as KeyspaceError: self.init(failure)
        default: self.init(nil, "\(error)")
        }
    }
}
