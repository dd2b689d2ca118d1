import Simulator
import Testing

/// A replica that finds something wrong with what it has must be right.
@Suite struct KnownHarmTests {
    /// Nothing but what the check asks for is excuse enough.
    @Test func log() throws {
        try KnownHarm(log: true).checkLog(3, "a gap")
        expectViolation("the log of 3 is damaged: a gap") {
            try KnownHarm(keyspace: true, state: true).checkLog(3, "a gap")
        }
    }

    @Test func keyspace() throws {
        try KnownHarm(keyspace: true).checkKeyspace(3, "a checksum")
        expectViolation("replica 3 finds damage where there is none: a checksum") {
            try KnownHarm(log: true, state: true).checkKeyspace(3, "a checksum")
        }
    }

    @Test func stateGivenUpForDamage() throws {
        try KnownHarm(keyspace: true).checkGivenUp(3, for: .damage, "a checksum")
        expectViolation("replica 3 gives up a state that is right: a checksum") {
            try KnownHarm(log: true, state: true).checkGivenUp(3, for: .damage, "a checksum")
        }
    }

    @Test func stateGivenUpForAnotherHash() throws {
        try KnownHarm(state: true).checkGivenUp(3, for: .divergence, "a hash")
        expectViolation("replica 3 gives up a state that is right: a hash") {
            try KnownHarm(log: true, keyspace: true).checkGivenUp(3, for: .divergence, "a hash")
        }
    }
}
