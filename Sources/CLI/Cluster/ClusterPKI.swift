import Basics
import FoundationEssentials
import PKI

/// The cluster's authorities and certificates under `DATA-DIR/pki`.
///
/// Authorities are made once. Everything they sign is issued anew on each start: it costs
/// milliseconds, never expires under a user's feet, and brings back a file that was lost.
struct ClusterPKI {
    let directory: DataDirectory
    let store: CertificateAuthority
    let peer: CertificateAuthority
    let api: CertificateAuthority

    /// Names that every server on this machine answers to.
    static var serverNames: [String] {
        var names = ["localhost", "127.0.0.1", "::1"]
        let host = hostName()
        if !names.contains(host) { names.append(host) }
        return names
    }

    init(_ directory: DataDirectory, now: WallTime) throws {
        self.directory = directory
        try Files.makeDirectory(directory.pkiPath, mode: 0o700)
        store = try Self.authority(directory, file: "ca", name: "martlet-store-ca", now: now)
        peer = try Self.authority(directory, file: "peer-ca", name: "martlet-peer-ca", now: now)
        api = try Self.authority(directory, file: "api-ca", name: "martlet-api-ca", now: now)
    }

    private static func authority(
        _ directory: DataDirectory, file: String, name: String, now: WallTime
    ) throws -> CertificateAuthority {
        let base = directory.pkiPath + "/" + file
        let (hasCertificate, hasKey) = (Files.exists(base + ".crt"), Files.exists(base + ".key"))
        if hasCertificate, hasKey {
            let pair = try CertificateFiles.pair(certificate: base + ".crt", key: base + ".key")
            if let reason = CertificatePair.invalidity(pair.certificatePEM, at: now) {
                throw CommandError("\(base).crt \(reason)")
            }
            return try CertificateAuthority(pair: pair)
        }
        // A new authority would lock out everybody who trusts the old one.
        guard !hasCertificate, !hasKey else {
            throw CommandError(
                "\(base).\(hasKey ? "crt" : "key") is missing, and \(base)."
                    + "\(hasKey ? "key" : "crt") is there: put it back, or remove both for a new"
                    + " authority")
        }
        let made = try CertificateAuthority.create(commonName: name, now: now)
        try write(made.pair, base)
        return made
    }

    /// Issues what this layout needs and writes the kubeconfig.
    func issueAll(for layout: ClusterLayout, now: WallTime) throws {
        for replica in layout.replicas {
            let folder = directory.pkiPath + "/" + replica.name
            try Files.makeDirectory(folder, mode: 0o700)
            var names = Self.serverNames + ["kubernetes"]
            if !names.contains(replica.host) { names.append(replica.host) }
            for (authority, file) in [(store, "store"), (peer, "peer"), (api, "api")] {
                let request = CertificateRequest(
                    commonName: replica.name, serverNames: names, isServer: true,
                    isClient: file == "peer")
                try Self.write(authority.issue(request, now: now), folder + "/" + file)
            }
        }
        let client = CertificateRequest(commonName: "root", isClient: true)
        try Self.write(store.issue(client, now: now), directory.pkiPath + "/client")
        for node in layout.nodes {
            let request = CertificateRequest(
                commonName: "system:node:" + node, organizations: ["system:nodes"],
                isClient: true)
            try Self.write(api.issue(request, now: now), directory.pkiPath + "/" + node)
        }
        let admin = try api.issue(
            CertificateRequest(
                commonName: "kubernetes-admin", organizations: ["system:masters"],
                isClient: true),
            now: now)
        let text = Kubeconfig(layout: layout, caPEM: api.pair.certificatePEM, admin: admin).text
        if !layout.isStoreOnly {
            try Files.write(directory.kubeconfigPath, text: text, mode: 0o600)
        }
    }

    private static func write(_ pair: CertificatePair, _ base: String) throws(CommandError) {
        try Files.write(base + ".crt", text: pair.certificatePEM + "\n", mode: 0o600)
        try Files.write(base + ".key", text: pair.keyPEM + "\n", mode: 0o600)
    }
}

/// The kubeconfig of `martlet up`: one context for each API server.
struct Kubeconfig {
    var layout: ClusterLayout
    var caPEM: String
    var admin: CertificatePair

    var text: String {
        var out = "apiVersion: v1\nkind: Config\ncurrent-context: martlet-1\nclusters:\n"
        for replica in layout.replicas {
            out += "- name: martlet-\(replica.number)\n  cluster:\n"
            out += "    server: https://\(replica.host):\(replica.apiPort)\n"
            out += "    certificate-authority-data: \(base64(caPEM))\n"
        }
        out += "users:\n- name: martlet-admin\n  user:\n"
        out += "    client-certificate-data: \(base64(admin.certificatePEM))\n"
        out += "    client-key-data: \(base64(admin.keyPEM))\n"
        out += "contexts:\n"
        for replica in layout.replicas {
            out += "- name: martlet-\(replica.number)\n  context:\n"
            out += "    cluster: martlet-\(replica.number)\n    user: martlet-admin\n"
        }
        return out
    }

    private func base64(_ text: String) -> String {
        Data(text.utf8).base64EncodedString()
    }
}
