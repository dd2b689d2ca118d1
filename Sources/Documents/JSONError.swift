/// Why bytes are not JSON, in the words of Go's encoding/json, which clients know.
package struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    package var message: String
    /// Byte of the input at which it went wrong.
    package var offset: Int

    package init(_ message: String, at offset: Int) {
        self.message = message
        self.offset = offset
    }

    package var description: String { message }
}
