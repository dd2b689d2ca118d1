/// What is wrong with a peer's bytes; the connection is closed.
package struct PeerProtocolError: Error, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}
