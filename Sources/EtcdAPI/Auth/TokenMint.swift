package import Basics
package import Keyspace

/// What a token says.
package struct TokenReading: Sendable {
    package var user: Bytes
    /// In seconds of the wall clock; nil: with the last use and some time.
    package var ends: UInt64?
}

/// Makes tokens and reads them; `now` is the wall clock in seconds.
package protocol TokenMint: Sendable {
    /// A new token, for somebody whose password was right; nil if they are gone by now, or if no
    /// key to sign with is here.
    func issue(for user: Bytes, _ auth: AuthState, now: UInt64) -> String?
    /// - Parameter isKnown: It was good here before, and is in use.
    func read(
        _ token: String, _ auth: AuthState, isKnown: Bool, now: UInt64
    ) throws(StoreError) -> TokenReading
}
