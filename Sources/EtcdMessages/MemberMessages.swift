package import Basics

/// The requests of `Cluster` that change members and `Maintenance.MoveLeader`'s, whose fields do
/// not collide: `MemberAddRequest` (peer URLs, learner flag), `MemberRemoveRequest` and
/// `MemberPromoteRequest` (id), `MemberUpdateRequest` (id, peer URLs), `MoveLeaderRequest` (id).
package struct MemberChangeRequest: Sendable {
    package var id: UInt64 = 0
    package var peerURLs: [String] = []
    package var isLearner = false

    /// `MemberAddRequest` has its fields at other numbers than the rest.
    package init(protobuf bytes: Bytes, isAddition: Bool) throws(DecodingFailure) {
        var reader = ProtobufReader(bytes, "MemberRequest")
        while let field = try reader.next() {
            switch (field, isAddition) {
            case (1, true), (2, false): peerURLs.append(try reader.text())
            case (2, true): isLearner = try reader.bool()
            case (1, false): id = try reader.unsigned()
            default: try reader.skip()
            }
        }
    }
}

/// `MemberAddResponse`; without `member`, the response to the other changes, where the members have
/// another field number.
package struct MemberChangeResponse: Sendable, ProtobufEncodable {
    package var header: ResponseHeader
    package var member: MemberMessage?
    package var members: [MemberMessage]

    package init(header: ResponseHeader, member: MemberMessage?, members: [MemberMessage]) {
        self.header = header
        self.member = member
        self.members = members
    }

    package func encode(to writer: inout ProtobufWriter) {
        writer.write(1, header)
        if let member { writer.write(2, member) }
        for other in members { writer.write(member == nil ? 2 : 3, other) }
    }
}
