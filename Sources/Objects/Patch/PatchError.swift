/// Why a patch could not be read or applied; `message` is shown to the user.
package struct PatchError: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable {
        /// The patch itself is wrong: 400.
        case malformed
        /// The patch is well formed, but does not fit the object: 422.
        case inapplicable
    }

    package var kind: Kind
    package var message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package var description: String { message }
}
