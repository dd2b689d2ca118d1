package import Basics
package import Keyspace

/// The requests of `Auth` that are about one user or role, and at most one thing more: a password,
/// or the other's name. Their fields do not collide.
package struct AuthRequest: Sendable, ProtobufDecodable {
    package var name = Bytes()
    /// The password, or the role.
    package var other = Bytes()
    package var hasNoPassword = false

    package static var messageName: String { "auth request" }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        while let field = try reader.next() {
            switch field {
            case 1: name = try reader.textBytes()
            case 2: other = try reader.textBytes()
            case 3:
                var options = try reader.message("UserAddOptions")
                while let field = try options.next() {
                    if field == 1 { hasNoPassword = try options.bool() } else { try options.skip() }
                }
            default: try reader.skip()
            }
        }
    }
}

/// `AuthUserChangePasswordRequest`, whose third field is not ours: the server hashes.
package struct PasswordRequest: Sendable, ProtobufDecodable {
    package var name = Bytes()
    package var password = Bytes()

    package static var messageName: String { "AuthUserChangePasswordRequest" }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        while let field = try reader.next() {
            switch field {
            case 1: name = try reader.textBytes()
            case 2: password = try reader.textBytes()
            default: try reader.skip()
            }
        }
    }
}

/// `AuthRoleGrantPermissionRequest`.
package struct GrantPermissionRequest: Sendable, ProtobufDecodable {
    package var role = Bytes()
    package var permission: Permission?

    package static var messageName: String { "AuthRoleGrantPermissionRequest" }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        while let field = try reader.next() {
            switch field {
            case 1: role = try reader.textBytes()
            case 2: permission = try Permission(within: &reader)
            default: try reader.skip()
            }
        }
    }
}

/// `AuthRoleRevokePermissionRequest`.
package struct RevokePermissionRequest: Sendable, ProtobufDecodable {
    package var role = Bytes()
    package var range: KeyRange

    package static var messageName: String { "AuthRoleRevokePermissionRequest" }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        var (key, end) = (Bytes(), Bytes())
        while let field = try reader.next() {
            switch field {
            case 1: role = try reader.textBytes()
            case 2: key = try reader.bytes()
            case 3: end = try reader.bytes()
            default: try reader.skip()
            }
        }
        range = KeyRange(start: key, end: KeyRange.End(spelled: end))
    }
}

extension Permission: ProtobufDecodable, ProtobufEncodable {
    package static var messageName: String { "Permission" }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        var kind = Kind.read
        var (key, end) = (Bytes(), Bytes())
        while let field = try reader.next() {
            switch field {
            case 1:
                guard let known = Kind(rawValue: UInt8(clamping: try reader.unsigned())) else {
                    throw reader.failure("unknown permission type")
                }
                kind = known
            case 2: key = try reader.bytes()
            case 3: end = try reader.bytes()
            default: try reader.skip()
            }
        }
        self.init(kind, KeyRange(start: key, end: KeyRange.End(spelled: end)))
    }

    package func encode(to writer: inout ProtobufWriter) {
        writer.write(1, UInt64(kind.rawValue))
        writer.write(2, range.start)
        writer.write(3, range.end.spelled)
    }
}

/// What any of the `Auth` calls answers; fields that an answer does not have stay empty.
package struct AuthResponse: Sendable, ProtobufEncodable {
    package var header: ResponseHeader
    /// Users, or roles.
    package var names: [Bytes] = []
    package var permissions: [Permission] = []
    package var token = ""

    package init(header: ResponseHeader) {
        self.header = header
    }

    package func encode(to writer: inout ProtobufWriter) {
        writer.write(1, header)
        for name in names { writer.writeElement(2, name) }
        for permission in permissions { writer.write(2, permission) }
        writer.write(2, token)
    }
}

/// `AuthStatusResponse`.
package struct AuthStatusResponse: Sendable, ProtobufEncodable {
    package var header: ResponseHeader
    package var isEnabled: Bool
    package var revision: UInt64

    package init(header: ResponseHeader, isEnabled: Bool, revision: UInt64) {
        self.header = header
        self.isEnabled = isEnabled
        self.revision = revision
    }

    package func encode(to writer: inout ProtobufWriter) {
        writer.write(1, header)
        writer.write(2, isEnabled)
        writer.write(3, revision)
    }
}
