import Basics

// Within commands and the blob `auth`: docs/formats/auth.md.

private enum Tag: UInt8 {
    case enable = 1
    case disable, addUser, deleteUser, changePassword, grantRole, revokeRole
    case addRole, deleteRole, grantPermission, revokePermission
}

extension ByteWriter {
    mutating func write(_ change: AuthChange) {
        switch change {
        case .enable(let secret): write(.enable, [secret])
        case .disable: write(.disable, [])
        case .addUser(let name, let hash):
            write(.addUser, [name])
            write(optional: hash)
        case .deleteUser(let name): write(.deleteUser, [name])
        case .changePassword(let name, let hash):
            write(.changePassword, [name])
            write(optional: hash)
        case .grantRole(let user, let role): write(.grantRole, [user, role])
        case .revokeRole(let user, let role): write(.revokeRole, [user, role])
        case .addRole(let name): write(.addRole, [name])
        case .deleteRole(let name): write(.deleteRole, [name])
        case .grantPermission(let role, let permission):
            write(.grantPermission, [role])
            write(permission)
        case .revokePermission(let role, let range):
            write(.revokePermission, [role])
            write(range)
        }
    }

    private mutating func write(_ tag: Tag, _ names: [Bytes]) {
        write(tag.rawValue)
        for name in names { writeCounted(name) }
    }

    mutating func write(optional bytes: Bytes?) {
        write(bytes != nil)
        if let bytes { writeCounted(bytes) }
    }

    mutating func write(_ permission: Permission) {
        write(permission.kind.rawValue)
        write(permission.range)
    }
}

extension ByteReader {
    mutating func readAuthChange() throws(DecodingFailure) -> AuthChange {
        let raw = try readByte("auth change")
        guard let tag = Tag(rawValue: raw) else {
            throw failure("auth change", "\(raw) is not known")
        }
        switch tag {
        case .enable: return .enable(secret: try readCounted("auth secret"))
        case .disable: return .disable
        case .addUser:
            let name = try readCounted("user")
            return .addUser(name, passwordHash: try readOptional("password hash"))
        case .deleteUser: return .deleteUser(try readCounted("user"))
        case .changePassword:
            let name = try readCounted("user")
            return .changePassword(name, passwordHash: try readOptional("password hash"))
        case .grantRole:
            let user = try readCounted("user")
            return .grantRole(user: user, role: try readCounted("role"))
        case .revokeRole:
            let user = try readCounted("user")
            return .revokeRole(user: user, role: try readCounted("role"))
        case .addRole: return .addRole(try readCounted("role"))
        case .deleteRole: return .deleteRole(try readCounted("role"))
        case .grantPermission:
            let role = try readCounted("role")
            return .grantPermission(role: role, try readPermission())
        case .revokePermission:
            let role = try readCounted("role")
            return .revokePermission(role: role, try readKeyRange())
        }
    }

    mutating func readOptional(_ field: String) throws(DecodingFailure) -> Bytes? {
        try readBool(field) ? try readCounted(field) : nil
    }

    mutating func readPermission() throws(DecodingFailure) -> Permission {
        let raw = try readByte("permission")
        guard let kind = Permission.Kind(rawValue: raw) else {
            throw failure("permission", "\(raw) is not known")
        }
        return Permission(kind, try readKeyRange())
    }
}
