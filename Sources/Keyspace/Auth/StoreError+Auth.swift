extension StoreError {
    package static let userEmpty = StoreError(.invalid, "etcdserver: user name is empty")
    package static let roleEmpty = StoreError(.invalid, "etcdserver: role name is empty")
    package static let userExists = StoreError(
        .failedPrecondition, "etcdserver: user name already exists")
    package static let userNotFound = StoreError(
        .failedPrecondition, "etcdserver: user name not found")
    package static let roleExists = StoreError(
        .failedPrecondition, "etcdserver: role name already exists")
    package static let roleNotFound = StoreError(
        .failedPrecondition, "etcdserver: role name not found")
    package static let roleNotGranted = StoreError(
        .failedPrecondition, "etcdserver: role is not granted to the user")
    package static let permissionNotGranted = StoreError(
        .failedPrecondition, "etcdserver: permission is not granted to the role")
    package static let permissionNotGiven = StoreError(
        .invalid, "etcdserver: permission not given")
    package static let rootUserNotFound = StoreError(
        .failedPrecondition, "etcdserver: root user does not exist")
    package static let rootRoleNotFound = StoreError(
        .failedPrecondition, "etcdserver: root user does not have root role")
    package static let authNotEnabled = StoreError(
        .failedPrecondition, "etcdserver: authentication is not enabled")
    package static let authFailed = StoreError(
        .invalid, "etcdserver: authentication failed, invalid user ID or password")
    package static let invalidAuthManagement = StoreError(
        .invalid, "etcdserver: invalid auth management")
    package static let authRevisionOld = StoreError(
        .invalid, "etcdserver: revision of auth store is old")
    package static let invalidAuthToken = StoreError(
        .unauthenticated, "etcdserver: invalid auth token")
}
