import Basics
import Bolt
import EtcdMessages
import Keyspace

/// Users and roles in a database file of etcd: the buckets `auth`, `authRoles` and `authUsers`,
/// whose values are messages of etcd's `authpb`. Passwords are bcrypt's hashes on both sides.
extension EtcdDatabase {
    private static let enabledKey = Bytes("authEnabled".utf8)
    private static let revisionKey = Bytes("authRevision".utf8)

    /// The three buckets, in the order of their names; empty ones for a store that never had users.
    static func write(auth blob: Bytes, to writer: BoltWriter) throws {
        let auth = blob.isEmpty ? nil : try AuthState(decoding: blob)
        try writer.begin(bucket: Bytes("auth".utf8))
        if let auth {
            try writer.add(enabledKey, [auth.isEnabled ? 1 : 0])
            try writer.add(revisionKey, bigEndian(auth.revision))
        }
        try writer.begin(bucket: Bytes("authRoles".utf8))
        for (name, permissions) in inOrder(auth?.roles ?? [:]) {
            var message = ProtobufWriter()
            message.write(1, name)
            for permission in permissions { message.write(2, permission) }
            try writer.add(name, message.bytes)
        }
        try writer.begin(bucket: Bytes("authUsers".utf8))
        for (name, user) in inOrder(auth?.users ?? [:]) {
            var message = ProtobufWriter()
            message.write(1, name)
            message.write(2, user.passwordHash ?? [])
            for role in user.roles { message.writeElement(3, role) }
            if user.passwordHash == nil {
                var options = ProtobufWriter()
                options.write(1, true)
                message.writeElement(4, options.bytes)
            }
            try writer.add(name, message.bytes)
        }
    }

    private static func inOrder<Value>(_ table: [Bytes: Value]) -> [(key: Bytes, value: Value)] {
        table.sorted { isOrderedBefore($0.key, $1.key) }
    }

    /// Nil if there are neither users nor roles. Tokens that the other store gave are void.
    static func readAuth(_ reader: BoltReader, _ path: String) throws -> AuthState? {
        var auth = AuthState()
        _ = try reader.forEach(in: Bytes("auth".utf8)) { key, value throws(EtcdDatabaseError) in
            if key.elementsEqual(enabledKey) { auth.isEnabled = value.first == 1 }
            if key.elementsEqual(revisionKey) {
                guard value.count == 8 else {
                    throw EtcdDatabaseError(path, "bucket auth: a revision of other length")
                }
                auth.revision = max(1, bigEndian(value))
            }
        }
        _ = try reader.forEach(in: Bytes("authRoles".utf8)) {
            key, value throws(EtcdDatabaseError) in
            let name = Bytes(key)
            let role = try named(path, "role \(name.readable)") { () throws(DecodingFailure) in
                try RoleRecord(protobuf: Bytes(value))
            }
            auth.roles[name] = role.permissions.sorted { $0.isBefore($1) }
        }
        _ = try reader.forEach(in: Bytes("authUsers".utf8)) {
            key, value throws(EtcdDatabaseError) in
            let name = Bytes(key)
            auth.users[name] = try named(path, "user \(name.readable)") {
                () throws(DecodingFailure) in
                try UserRecord(protobuf: Bytes(value)).user
            }
        }
        guard !auth.users.isEmpty || !auth.roles.isEmpty else { return nil }
        auth.version = auth.revision
        if auth.isEnabled { auth.secret = SimpleMint.newSecret() }
        return auth
    }
}

/// `authpb.Role`.
private struct RoleRecord: ProtobufDecodable {
    var permissions: [Permission] = []

    static var messageName: String { "Role" }

    init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        while let field = try reader.next() {
            switch field {
            case 2: permissions.append(try Permission(within: &reader))
            default: try reader.skip()
            }
        }
    }
}

/// `authpb.User`.
private struct UserRecord: ProtobufDecodable {
    var user = AuthState.User()

    static var messageName: String { "User" }

    init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        while let field = try reader.next() {
            switch field {
            case 2:
                let hash = try reader.bytes()
                user.passwordHash = hash.isEmpty ? nil : hash
            case 3: user.roles.append(try reader.bytes())
            default: try reader.skip()
            }
        }
        user.roles.sort(by: isOrderedBefore)
    }
}
