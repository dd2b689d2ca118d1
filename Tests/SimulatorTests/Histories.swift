import Basics
import Keyspace
import Simulator
import Testing

func bytes(_ text: String) -> Bytes { Array(text.utf8) }

func put(_ key: String, _ value: String, lease: Int64 = 0) -> Operation {
    .put(PutRequest(key: bytes(key), value: bytes(value), lease: lease))
}

func transaction(_ operations: Operation...) -> Command {
    .transaction(TransactionRequest(success: operations))
}

/// That a check fails, and for which reason: the beginning of the message.
func expectViolation(
    _ beginning: String, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> Void
) {
    do {
        try body()
        Issue.record("nothing was found", sourceLocation: sourceLocation)
    } catch {
        let text = (error as? Violation)?.message ?? "\(error)"
        #expect(text.contains(beginning), sourceLocation: sourceLocation)
    }
}
