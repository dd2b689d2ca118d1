import Basics

extension AuthState {
    /// Makes a change after etcd's rules. After an error nothing is changed.
    package mutating func apply(_ change: AuthChange) throws(StoreError) {
        switch change {
        case .enable(let secret): try enable(secret)
        case .disable: disable()
        case .addUser(let name, let hash): try addUser(name, hash)
        case .deleteUser(let name): try deleteUser(name)
        case .changePassword(let name, let hash):
            guard users[name] != nil else { throw .userNotFound }
            users[name]?.passwordHash = hash
            changed()
        case .grantRole(let user, let role): try grant(role, to: user)
        case .revokeRole(let user, let role): try revoke(role, from: user)
        case .addRole(let name):
            guard !name.isEmpty else { throw .roleEmpty }
            guard roles[name] == nil else { throw .roleExists }
            roles[name] = []
            changed()
        case .deleteRole(let name): try deleteRole(name)
        case .grantPermission(let role, let permission): try grant(permission, to: role)
        case .revokePermission(let role, let range): try revoke(range, from: role)
        }
    }

    private mutating func changed() {
        revision += 1
        version += 1
    }

    private mutating func enable(_ secret: Bytes) throws(StoreError) {
        guard !isEnabled else { return }
        guard users[Self.root] != nil else { throw .rootUserNotFound }
        guard isRoot(Self.root) else { throw .rootRoleNotFound }
        isEnabled = true
        self.secret = secret
        // etcd's number counts disabling, but not this.
        version += 1
    }

    private mutating func disable() {
        guard isEnabled else { return }
        isEnabled = false
        secret = []
        changed()
    }

    private mutating func addUser(_ name: Bytes, _ hash: Bytes?) throws(StoreError) {
        guard !name.isEmpty else { throw .userEmpty }
        guard users[name] == nil else { throw .userExists }
        users[name] = User(passwordHash: hash)
        changed()
    }

    private mutating func deleteUser(_ name: Bytes) throws(StoreError) {
        guard !isEnabled || name != Self.root else { throw .invalidAuthManagement }
        guard users.removeValue(forKey: name) != nil else { throw .userNotFound }
        changed()
    }

    private mutating func grant(_ role: Bytes, to name: Bytes) throws(StoreError) {
        guard var user = users[name] else { throw .userNotFound }
        // The role root needs not exist to be granted.
        guard role == Self.root || roles[role] != nil else { throw .roleNotFound }
        guard !user.roles.contains(role) else { return }
        user.roles.append(role)
        user.roles.sort(by: isOrderedBefore)
        users[name] = user
        changed()
    }

    private mutating func revoke(_ role: Bytes, from name: Bytes) throws(StoreError) {
        guard !isEnabled || name != Self.root || role != Self.root else {
            throw .invalidAuthManagement
        }
        guard let user = users[name] else { throw .userNotFound }
        guard let place = user.roles.firstIndex(of: role) else { throw .roleNotGranted }
        users[name]?.roles.remove(at: place)
        changed()
    }

    private mutating func deleteRole(_ name: Bytes) throws(StoreError) {
        guard !isEnabled || name != Self.root else { throw .invalidAuthManagement }
        guard roles.removeValue(forKey: name) != nil else { throw .roleNotFound }
        for user in users.keys { users[user]?.roles.removeAll { $0 == name } }
        changed()
    }

    private mutating func grant(_ permission: Permission, to role: Bytes) throws(StoreError) {
        guard permission.isValid else { throw .invalidAuthManagement }
        guard var permissions = roles[role] else { throw .roleNotFound }
        if let place = permissions.firstIndex(where: { $0.range == permission.range }) {
            permissions[place].kind = permission.kind
        } else {
            permissions.append(permission)
            permissions.sort { $0.isBefore($1) }
        }
        roles[role] = permissions
        changed()
    }

    private mutating func revoke(_ range: KeyRange, from role: Bytes) throws(StoreError) {
        guard let permissions = roles[role] else { throw .roleNotFound }
        guard let place = permissions.firstIndex(where: { $0.range == range }) else {
            throw .permissionNotGranted
        }
        roles[role]?.remove(at: place)
        changed()
    }
}
