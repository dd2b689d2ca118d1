/// Who the peer is, by the client certificate that was verified against the port's authority.
package struct PeerIdentity: Sendable, Hashable {
    package var commonName: String
    package var organizations: [String]

    package init(commonName: String, organizations: [String]) {
        self.commonName = commonName
        self.organizations = organizations
    }
}
