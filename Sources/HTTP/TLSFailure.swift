/// Words for what the TLS library says by the codes of its sources.
package enum TLSFailure {
    /// By the name that the library has for the reason; what else it says is of use to its makers.
    private static let reasons: [(name: String, text: String)] = [
        (
            "CERTIFICATE_VERIFY_FAILED",
            "the certificate shown is not of the authority given, or not valid now"
        ),
        ("ALERT_UNKNOWN_CA", "the other side does not know the authority of our certificate"),
        ("ALERT_CERTIFICATE_EXPIRED", "the other side takes our certificate for expired"),
        ("ALERT_CERTIFICATE_REQUIRED", "the other side asks for a certificate"),
        ("ALERT_BAD_CERTIFICATE", "the other side does not take our certificate"),
        ("ALERT_CERTIFICATE_UNKNOWN", "the other side does not take our certificate"),
        ("PEER_DID_NOT_RETURN_A_CERTIFICATE", "no certificate was shown"),
        ("WRONG_VERSION_NUMBER", "what came is not TLS"),
        ("HTTP_REQUEST", "what came is HTTP without TLS"),
        ("UNSUPPORTED_PROTOCOL", "the other side speaks an older TLS only"),
        ("EOF during handshake", "the other side hung up in the middle of the handshake"),
    ]

    package static func text(_ error: any Error) -> String {
        let whole = "\(error)"
        for (name, text) in reasons where whole.contains(name) { return text }
        return whole
    }
}
