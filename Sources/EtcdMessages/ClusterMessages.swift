package import Basics

/// etcd's `Member`.
package struct MemberMessage: Sendable, ProtobufEncodable, ProtobufDecodable {
    package var id: UInt64 = 0
    package var name = ""
    package var peerURLs: [String] = []
    package var clientURLs: [String] = []
    package var isLearner = false

    package init() {}

    package static var messageName: String { "Member" }

    package func encode(to writer: inout ProtobufWriter) {
        writer.write(1, id)
        writer.write(2, name)
        for url in peerURLs { writer.writeElement(3, Bytes(url.utf8)) }
        for url in clientURLs { writer.writeElement(4, Bytes(url.utf8)) }
        writer.write(5, isLearner)
    }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        while let field = try reader.next() {
            switch field {
            case 1: id = try reader.unsigned()
            case 2: name = try reader.text()
            case 3: peerURLs.append(try reader.text())
            case 4: clientURLs.append(try reader.text())
            case 5: isLearner = try reader.bool()
            default: try reader.skip()
            }
        }
    }
}

/// `MemberListRequest`.
package struct MemberListRequest: Sendable, ProtobufEncodable, ProtobufDecodable {
    package var isLinearizable = false

    package static var messageName: String { "MemberListRequest" }

    package init() {}

    package func encode(to writer: inout ProtobufWriter) { writer.write(1, isLinearizable) }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        while let field = try reader.next() {
            if field == 1 { isLinearizable = try reader.bool() } else { try reader.skip() }
        }
    }
}

/// `MemberListResponse`.
package struct MemberListResponse: Sendable, ProtobufEncodable, ProtobufDecodable {
    package var header: ResponseHeader
    package var members: [MemberMessage]

    package init(header: ResponseHeader, members: [MemberMessage]) {
        self.header = header
        self.members = members
    }

    package static var messageName: String { "MemberListResponse" }

    package func encode(to writer: inout ProtobufWriter) {
        writer.write(1, header)
        for member in members { writer.write(2, member) }
    }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        self.init(header: ResponseHeader(), members: [])
        while let field = try reader.next() {
            switch field {
            case 1: header = try ResponseHeader(within: &reader)
            case 2: members.append(try MemberMessage(within: &reader))
            default: try reader.skip()
            }
        }
    }
}

/// `Maintenance.Status`' answer.
package struct StatusResponse: Sendable, ProtobufEncodable, ProtobufDecodable {
    package var header: ResponseHeader
    package var version = ""
    package var fileBytes: Int64 = 0
    package var leaderID: UInt64 = 0
    package var raftIndex: UInt64 = 0
    package var raftTerm: UInt64 = 0
    package var raftAppliedIndex: UInt64 = 0
    package var errors: [String] = []
    package var fileBytesInUse: Int64 = 0
    package var isLearner = false
    package var storageVersion = ""
    package var quotaBytes: Int64 = 0

    package init(header: ResponseHeader) {
        self.header = header
    }

    package static var messageName: String { "StatusResponse" }

    package func encode(to writer: inout ProtobufWriter) {
        writer.write(1, header)
        writer.write(2, version)
        writer.write(3, fileBytes)
        writer.write(4, leaderID)
        writer.write(5, raftIndex)
        writer.write(6, raftTerm)
        writer.write(7, raftAppliedIndex)
        for error in errors { writer.writeElement(8, Bytes(error.utf8)) }
        writer.write(9, fileBytesInUse)
        writer.write(10, isLearner)
        writer.write(11, storageVersion)
        writer.write(12, quotaBytes)
    }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        self.init(header: ResponseHeader())
        while let field = try reader.next() {
            switch field {
            case 1: header = try ResponseHeader(within: &reader)
            case 2: version = try reader.text()
            case 3: fileBytes = try reader.signed()
            case 4: leaderID = try reader.unsigned()
            case 5: raftIndex = try reader.unsigned()
            case 6: raftTerm = try reader.unsigned()
            case 7: raftAppliedIndex = try reader.unsigned()
            case 8: errors.append(try reader.text())
            case 9: fileBytesInUse = try reader.signed()
            case 10: isLearner = try reader.bool()
            case 11: storageVersion = try reader.text()
            case 12: quotaBytes = try reader.signed()
            default: try reader.skip()
            }
        }
    }
}

/// Alarms as etcd numbers them.
package enum AlarmKind: UInt64, Sendable {
    case none = 0
    case noSpace = 1
    case corrupt = 2
}

/// `AlarmRequest`.
package struct AlarmRequest: Sendable, ProtobufEncodable, ProtobufDecodable {
    package enum Action: UInt64, Sendable { case get, activate, deactivate }

    package var action = Action.get
    package var memberID: UInt64 = 0
    package var kind = AlarmKind.none

    package static var messageName: String { "AlarmRequest" }

    package init() {}

    package func encode(to writer: inout ProtobufWriter) {
        writer.write(1, action.rawValue)
        writer.write(2, memberID)
        writer.write(3, kind.rawValue)
    }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        while let field = try reader.next() {
            switch field {
            case 1:
                guard let known = Action(rawValue: try reader.unsigned()) else {
                    throw reader.failure("unknown action")
                }
                action = known
            case 2: memberID = try reader.unsigned()
            case 3: kind = AlarmKind(rawValue: try reader.unsigned()) ?? .none
            default: try reader.skip()
            }
        }
    }
}

/// `AlarmResponse`: the alarms that are on, or that were changed.
package struct AlarmResponse: Sendable, ProtobufEncodable, ProtobufDecodable {
    package var header: ResponseHeader
    package var alarms: [(memberID: UInt64, kind: AlarmKind)]

    package init(header: ResponseHeader, alarms: [(memberID: UInt64, kind: AlarmKind)]) {
        self.header = header
        self.alarms = alarms
    }

    package func encode(to writer: inout ProtobufWriter) {
        writer.write(1, header)
        for alarm in alarms {
            var inner = ProtobufWriter()
            inner.write(1, alarm.memberID)
            inner.write(2, alarm.kind.rawValue)
            writer.writeElement(2, inner.bytes)
        }
    }

    package static var messageName: String { "AlarmResponse" }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        self.init(header: ResponseHeader(), alarms: [])
        while let field = try reader.next() {
            switch field {
            case 1: header = try ResponseHeader(within: &reader)
            case 2: alarms.append(try Self.alarm(try reader.message("AlarmMember")))
            default: try reader.skip()
            }
        }
    }

    private static func alarm(
        _ reader: consuming ProtobufReader
    ) throws(DecodingFailure) -> (memberID: UInt64, kind: AlarmKind) {
        var alarm = (memberID: UInt64(0), kind: AlarmKind.none)
        while let field = try reader.next() {
            switch field {
            case 1: alarm.memberID = try reader.unsigned()
            case 2: alarm.kind = AlarmKind(rawValue: try reader.unsigned()) ?? .none
            default: try reader.skip()
            }
        }
        return alarm
    }
}

/// `CompactionRequest`.
package struct CompactionRequest: Sendable, ProtobufEncodable, ProtobufDecodable {
    package var revision: Int64 = 0
    package var isPhysical = false

    package init(revision: Int64) {
        self.revision = revision
    }

    package static var messageName: String { "CompactionRequest" }

    package func encode(to writer: inout ProtobufWriter) {
        writer.write(1, revision)
        writer.write(2, isPhysical)
    }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        while let field = try reader.next() {
            switch field {
            case 1: revision = try reader.signed()
            case 2: isPhysical = try reader.bool()
            default: try reader.skip()
            }
        }
    }
}

/// An answer that is a header and nothing else, or of which only the header matters.
package struct HeaderOnlyResponse: Sendable, ProtobufEncodable, ProtobufDecodable {
    package var header: ResponseHeader

    package init(header: ResponseHeader) {
        self.header = header
    }

    package static var messageName: String { "response" }

    package func encode(to writer: inout ProtobufWriter) {
        writer.write(1, header)
    }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        header = ResponseHeader()
        while let field = try reader.next() {
            if field == 1 {
                header = try ResponseHeader(within: &reader)
            } else {
                try reader.skip()
            }
        }
    }
}
