/// Reads the subject out of a certificate's DER bytes.
///
/// The certificate has been verified already; this finds only the two attributes that name a
/// peer. Anything unexpected reads as nil, that is as a peer without identity.
struct CertificateSubject {
    private var bytes: ArraySlice<UInt8>

    static func identity(der: [UInt8]) -> PeerIdentity? {
        var certificate = CertificateSubject(bytes: der[...])
        guard var outer = certificate.enter(0x30), var body = outer.enter(0x30) else { return nil }
        if body.tag == 0xa0 { body.skip() }
        // Serial number, signature algorithm, issuer, validity; then the subject.
        for _ in 0..<4 { body.skip() }
        guard let subject = body.enter(0x30) else { return nil }
        return identity(subject)
    }

    private static func identity(_ subject: CertificateSubject) -> PeerIdentity? {
        var subject = subject
        var commonName: String?
        var organizations: [String] = []
        while var set = subject.enter(0x31) {
            while var attribute = set.enter(0x30) {
                guard let name = attribute.enter(0x06), let text = attribute.text() else {
                    continue
                }
                // 2.5.4.3 and 2.5.4.10
                if name.bytes.elementsEqual([0x55, 0x04, 0x03]) { commonName = text }
                if name.bytes.elementsEqual([0x55, 0x04, 0x0a]) { organizations.append(text) }
            }
        }
        return commonName.map { PeerIdentity(commonName: $0, organizations: organizations) }
    }

    private var tag: UInt8? { bytes.first }

    /// Takes the next element if it has this tag, and answers its content.
    private mutating func enter(_ expected: UInt8) -> CertificateSubject? {
        guard tag == expected, let content = take() else { return nil }
        return CertificateSubject(bytes: content)
    }

    private mutating func skip() {
        if take() == nil { bytes = [] }
    }

    private mutating func text() -> String? {
        // UTF8String, PrintableString, T61String, IA5String
        guard let tag, [0x0c, 0x13, 0x14, 0x16].contains(tag), let content = take() else {
            return nil
        }
        return String(validating: content, as: UTF8.self)
    }

    private mutating func take() -> ArraySlice<UInt8>? {
        guard bytes.count >= 2 else { return nil }
        var position = bytes.startIndex + 1
        var length = Int(bytes[position])
        position += 1
        if length >= 0x80 {
            let width = length & 0x7f
            guard width >= 1, width <= 4, bytes.endIndex - position >= width else { return nil }
            length = 0
            for _ in 0..<width {
                length = length << 8 | Int(bytes[position])
                position += 1
            }
        }
        guard bytes.endIndex - position >= length else { return nil }
        let content = bytes[position..<position + length]
        bytes = bytes[(position + length)...]
        return content
    }
}
