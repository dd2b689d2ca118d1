package import Basics

/// Bytes of a connection that nobody has taken yet.
package protocol ReceivedBytes {
    /// None.
    init()

    var count: Int { get }

    /// The little-endian number that begins `offset` bytes behind the first; nil if it is not all
    /// there.
    func number(at offset: Int) -> UInt32?

    /// Adds what came after them.
    mutating func append(_ more: Self)

    /// Lets go of the first `count` bytes, which are there.
    mutating func skip(_ count: Int)

    /// Takes the first `count` bytes, which are there.
    mutating func take(_ count: Int) -> Bytes
}
