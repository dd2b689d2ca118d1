import ArgumentParser
import Keyspace
import ReplicaCore

/// One clear line for the person at the terminal, and the exit code that goes with it.
struct CommandError: Error, CustomStringConvertible {
    var message: String
    var exitCode: Int32

    init(_ message: String, exitCode: Int32 = 1) {
        self.message = message
        self.exitCode = exitCode
    }

    var description: String { message }
}

extension CommandError {
    init(wrapping error: any Error) {
        switch error {
        case let error as CommandError: self = error
        case let error as StoreError: self.init(error.message)
        case let failure as ReplicaFailure:
            self.init(failure.description, exitCode: failure.exitCode)
        default: self.init("\(error)")
        }
    }
}

/// Runs a command's work and turns what goes wrong into one line and an exit code; a supervisor
/// hears of it too.
func reportingErrors(
    to link: SupervisorLink? = nil, _ body: () async throws -> Void
) async throws {
    do {
        try await body()
    } catch {
        let error = CommandError(wrapping: error)
        reportError(error)
        link?.send(.failed(error.message))
        throw ExitCode(error.exitCode)
    }
}
