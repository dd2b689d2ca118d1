package import Basics
import Keyspace

extension PeerRequest {
    private enum Tag: UInt8 {
        case propose = 1
        case leaseKeepAlive = 2
        case leaseRemaining = 3
        case changeMembers = 5
        case transferLeadership = 6
    }

    package func encode(to writer: inout ByteWriter) {
        writer.writeVarint(number)
        switch body {
        case .propose(let payload):
            writer.write(Tag.propose.rawValue)
            writer.write(payload)
        case .question(.leaseKeepAlive(let id)):
            writer.write(Tag.leaseKeepAlive.rawValue)
            writer.writeVarint(id)
        case .question(.leaseRemaining(let id)):
            writer.write(Tag.leaseRemaining.rawValue)
            writer.writeVarint(id)
        case .question(.changeMembers(let request)):
            writer.write(Tag.changeMembers.rawValue)
            request.encode(to: &writer)
        case .question(.transferLeadership(let id)):
            writer.write(Tag.transferLeadership.rawValue)
            writer.writeVarint(id)
        }
    }

    package init(decoding bytes: Bytes) throws(DecodingFailure) {
        var reader = ByteReader(bytes)
        number = try reader.readVarint("request number")
        let raw = try reader.readByte("request kind")
        guard let tag = Tag(rawValue: raw) else {
            throw reader.failure("request kind", "unknown kind \(raw)")
        }
        switch tag {
        case .propose:
            body = .propose(try reader.read("command", count: reader.remaining))
        case .leaseKeepAlive:
            body = .question(.leaseKeepAlive(try reader.readSignedVarint("lease")))
        case .leaseRemaining:
            body = .question(.leaseRemaining(try reader.readSignedVarint("lease")))
        case .changeMembers:
            body = .question(.changeMembers(try MemberRequest(from: &reader)))
        case .transferLeadership:
            body = .question(.transferLeadership(to: try reader.readVarint("member id")))
        }
        try reader.expectEnd("request")
    }
}

extension PeerAnswer {
    private enum Tag: UInt8 {
        case proposed = 1
        case value = 2
        case tryAgain = 3
        case failed = 4
    }

    package func encode(to writer: inout ByteWriter) {
        writer.writeVarint(number)
        switch body {
        case .proposed(let index, let term):
            writer.write(Tag.proposed.rawValue)
            writer.writeVarint(index)
            writer.writeVarint(term)
        case .value(let value):
            writer.write(Tag.value.rawValue)
            writer.writeVarint(value)
        case .tryAgain:
            writer.write(Tag.tryAgain.rawValue)
        case .failed(let error):
            writer.write(Tag.failed.rawValue)
            writer.write(error.code.peerNumber)
            writer.write(Array(error.message.utf8))
        }
    }

    package init(decoding bytes: Bytes) throws(DecodingFailure) {
        var reader = ByteReader(bytes)
        number = try reader.readVarint("answer number")
        let raw = try reader.readByte("answer kind")
        guard let tag = Tag(rawValue: raw) else {
            throw reader.failure("answer kind", "unknown kind \(raw)")
        }
        switch tag {
        case .proposed:
            let index = try reader.readVarint("index")
            body = .proposed(index: index, term: try reader.readVarint("term"))
        case .value:
            body = .value(try reader.readSignedVarint("value"))
        case .tryAgain:
            body = .tryAgain
        case .failed:
            let code = StoreError.Code(peerNumber: try reader.readByte("error code"))
            let text = try reader.read("error text", count: reader.remaining)
            body = .failed(StoreError(code, String(decoding: text, as: UTF8.self)))
        }
        try reader.expectEnd("answer")
    }
}

extension StoreError.Code {
    /// Codes by their number between peers; the order is part of the protocol.
    private static let peerNumbers: [StoreError.Code] = [
        .unavailable, .invalid, .notFound, .alreadyExists, .failedPrecondition, .tooLarge,
        .noSpace, .overloaded, .timeout, .permissionDenied, .corrupt, .cancelled,
        .unauthenticated,
    ]

    var peerNumber: UInt8 {
        UInt8(Self.peerNumbers.firstIndex(of: self) ?? 0)
    }

    /// A number from a newer peer counts as `unavailable`.
    init(peerNumber: UInt8) {
        let known = Self.peerNumbers
        self = Int(peerNumber) < known.count ? known[Int(peerNumber)] : .unavailable
    }
}
