/// How clients of the etcd API say who they are.
package struct EtcdAuthOptions: Sendable {
    package var tokens: TokenTable
    /// Whether the common name of a client's certificate is a user's, as with etcd's
    /// `--client-cert-auth`. A token says more.
    package var takesCertificateNames: Bool

    package init(tokens: TokenTable = TokenTable(), takesCertificateNames: Bool = false) {
        self.tokens = tokens
        self.takesCertificateNames = takesCertificateNames
    }
}
