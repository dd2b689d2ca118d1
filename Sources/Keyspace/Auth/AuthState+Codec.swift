package import Basics

extension AuthState {
    private static let formatVersion: UInt8 = 1

    /// The meta blob `Keyspace.authName`; docs/formats/auth.md. The same bytes on all replicas.
    package func encode() -> Bytes {
        var writer = ByteWriter()
        writer.write(Self.formatVersion)
        writer.write(isEnabled)
        writer.writeVarint(revision)
        writer.writeVarint(version)
        writer.writeCounted(secret)
        writer.writeVarint(UInt64(users.count))
        for (name, user) in users.sorted(by: { isOrderedBefore($0.key, $1.key) }) {
            writer.writeCounted(name)
            writer.write(optional: user.passwordHash)
            writer.writeVarint(UInt64(user.roles.count))
            for role in user.roles { writer.writeCounted(role) }
        }
        writer.writeVarint(UInt64(roles.count))
        for (name, permissions) in roles.sorted(by: { isOrderedBefore($0.key, $1.key) }) {
            writer.writeCounted(name)
            writer.writeVarint(UInt64(permissions.count))
            for permission in permissions { writer.write(permission) }
        }
        return writer.bytes
    }

    package init(decoding bytes: Bytes) throws(DecodingFailure) {
        var reader = ByteReader(bytes)
        let format = try reader.readByte("auth format")
        guard format == Self.formatVersion else {
            throw reader.failure("auth format", "\(format) is not known")
        }
        isEnabled = try reader.readBool("auth enabled")
        revision = try reader.readVarint("auth revision")
        version = try reader.readVarint("auth version")
        secret = try reader.readCounted("auth secret")
        for _ in 0..<(try reader.readCount("users", bytesEach: 3)) {
            let name = try reader.readCounted("user")
            var user = User(passwordHash: try reader.readOptional("password hash"))
            for _ in 0..<(try reader.readCount("roles of a user", bytesEach: 1)) {
                user.roles.append(try reader.readCounted("role"))
            }
            users[name] = user
        }
        for _ in 0..<(try reader.readCount("roles", bytesEach: 2)) {
            let name = try reader.readCounted("role")
            var permissions: [Permission] = []
            for _ in 0..<(try reader.readCount("permissions", bytesEach: 3)) {
                permissions.append(try reader.readPermission())
            }
            roles[name] = permissions
        }
        try reader.expectEnd("auth state")
    }
}
