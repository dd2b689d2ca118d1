/// Names that come with nearly every request, so that no string is made for them.
func headerName(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
    let known =
        switch bytes.count {
        case 2: "te"
        case 4: "host"
        case 6: unsafe bytes[0] == 0x61 ? "accept" : "cookie"
        case 10: "user-agent"
        case 12: unsafe bytes[0] == 0x63 ? "content-type" : "grpc-timeout"
        case 13: "authorization"
        case 14: "content-length"
        case 15: "accept-encoding"
        case 20: "grpc-accept-encoding"
        default: ""
        }
    if !known.isEmpty, unsafe known.utf8.elementsEqual(bytes) { return known }
    return unsafe String(decoding: bytes, as: UTF8.self)
}
