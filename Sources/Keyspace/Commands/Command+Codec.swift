package import Basics

extension Command {
    /// Version 2 is all there is; a reader refuses what it does not know.
    private static let version: UInt8 = 2
    /// Where the time stands, and its length.
    private static let stamp = 1..<9

    private enum Tag: UInt8 {
        case nothing = 0
        case transaction, commit, compact, leaseGrant, leaseRevoke, leaseCheckpoint, membership
        case alarm
        case hashCheck, hashReport
        case auth, stamped
    }

    /// The payload of a Raft entry. `nothing` is empty, as is Raft's own no-op.
    package func encode() -> Bytes {
        if case .nothing = self { return [] }
        var writer = ByteWriter(reserving: encodedBytesEstimate)
        writer.write(Self.version)
        writer.writeLittleEndian(UInt64(0))
        write(to: &writer)
        return writer.bytes
    }

    private func write(to writer: inout ByteWriter) {
        switch self {
        case .nothing: break
        case .transaction(let request):
            writer.write(Tag.transaction.rawValue)
            writer.write(request)
        case .commit(let request):
            writer.write(Tag.commit.rawValue)
            writer.write(request)
        case .compact(let revision):
            writer.write(Tag.compact.rawValue)
            writer.writeVarint(revision)
        case .leaseGrant(let id, let ttlSeconds):
            writer.write(Tag.leaseGrant.rawValue)
            writer.writeVarint(id)
            writer.writeVarint(ttlSeconds)
        case .leaseRevoke(let id):
            writer.write(Tag.leaseRevoke.rawValue)
            writer.writeVarint(id)
        case .leaseCheckpoint(let leases):
            writer.write(Tag.leaseCheckpoint.rawValue)
            writer.writeVarint(UInt64(leases.count))
            for lease in leases {
                writer.writeVarint(lease.id)
                writer.writeVarint(lease.remainingSeconds)
            }
        case .membership(let blob):
            writer.write(Tag.membership.rawValue)
            writer.writeCounted(blob)
        case .alarm(let change):
            writer.write(Tag.alarm.rawValue)
            writer.write(change.isRaised)
            writer.writeVarint(change.memberID)
            writer.write(change.kind.rawValue)
        case .hashCheck: writer.write(Tag.hashCheck.rawValue)
        case .hashReport(let report):
            writer.write(Tag.hashReport.rawValue)
            for word in [report.member, report.index, report.hash] {
                writer.writeLittleEndian(word)
            }
        case .auth(let change):
            writer.write(Tag.auth.rawValue)
            writer.write(change)
        case .stamped(let stamp, let command):
            writer.write(Tag.stamped.rawValue)
            writer.writeCounted(stamp.user)
            writer.writeVarint(stamp.version)
            command.write(to: &writer)
        }
    }

    /// Notes in an encoded command when the leader proposed it, milliseconds since 1970: what a
    /// restore to a time goes by. Applying does not look at it.
    package static func stamp(_ payload: inout Bytes, milliseconds: UInt64) {
        guard payload.count >= stamp.upperBound, payload[0] == version else { return }
        for (place, index) in stamp.enumerated() {
            payload[index] = UInt8(truncatingIfNeeded: milliseconds >> UInt64(8 * place))
        }
    }

    /// When the leader proposed an encoded command; 0 when it says nothing of it.
    package static func milliseconds(of payload: Bytes) -> UInt64 {
        guard payload.count >= stamp.upperBound, payload[0] == version else { return 0 }
        return payload[stamp].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    package init(decoding payload: Bytes) throws(DecodingFailure) {
        if payload.isEmpty {
            self = .nothing
            return
        }
        var reader = ByteReader(payload)
        let version = try reader.readByte("command version")
        guard version == Self.version else {
            throw reader.failure("command version", "\(version) is not known")
        }
        try reader.skip("command time", count: 8)
        self = try Self.read(from: &reader, mayBeStamped: true)
        try reader.expectEnd("command")
    }

    private static func read(
        from reader: inout ByteReader, mayBeStamped: Bool
    ) throws(DecodingFailure) -> Command {
        let tag = try reader.readByte("command tag")
        switch Tag(rawValue: tag) {
        case .transaction:
            return .transaction(try reader.readTransaction(depth: Limits.transactionDepthMax))
        case .commit: return .commit(try reader.readCommit())
        case .compact: return .compact(try reader.readSignedVarint("revision"))
        case .leaseGrant:
            let id = try reader.readSignedVarint("lease")
            return .leaseGrant(id: id, ttlSeconds: try reader.readSignedVarint("TTL"))
        case .leaseRevoke: return .leaseRevoke(id: try reader.readSignedVarint("lease"))
        case .leaseCheckpoint:
            var leases: [LeaseRemaining] = []
            for _ in 0..<(try reader.readCount("leases", bytesEach: 2)) {
                let id = try reader.readSignedVarint("lease")
                let remaining = try reader.readSignedVarint("remaining TTL")
                leases.append(LeaseRemaining(id: id, remainingSeconds: remaining))
            }
            return .leaseCheckpoint(leases)
        case .membership: return .membership(try reader.readCounted("membership"))
        case .alarm:
            let isRaised = try reader.readBool("alarm")
            let memberID = try reader.readVarint("alarm member")
            let raw = try reader.readByte("alarm kind")
            guard let kind = AlarmChange.Kind(rawValue: raw) else {
                throw reader.failure("alarm kind", "\(raw) is not known")
            }
            return .alarm(AlarmChange(isRaised: isRaised, memberID: memberID, kind: kind))
        case .hashCheck: return .hashCheck
        case .hashReport:
            return .hashReport(
                HashReport(
                    member: try reader.readLittleEndian("member"),
                    index: try reader.readLittleEndian("index"),
                    hash: try reader.readLittleEndian("hash")))
        case .auth: return .auth(try reader.readAuthChange())
        case .stamped where mayBeStamped:
            let user = try reader.readCounted("user")
            let stamp = AuthStamp(user: user, version: try reader.readVarint("auth version"))
            return .stamped(stamp, try read(from: &reader, mayBeStamped: false))
        case .nothing, .stamped, nil:
            throw reader.failure("command tag", "\(tag) is not known")
        }
    }

    /// Enough for the common command, so that one allocation does.
    private var encodedBytesEstimate: Int {
        switch self {
        case .transaction(let request): 64 + request.bytesEstimate
        case .commit(let request):
            request.mutations.reduce(64 + request.guards.count * 64) { sum, mutation in
                switch mutation {
                case .put(let key, let value, _): sum + key.count + value.count + 24
                case .delete(let key): sum + key.count + 8
                }
            }
        case .membership(let blob): blob.count + 16
        case .stamped(let stamp, let command): command.encodedBytesEstimate + stamp.user.count + 8
        default: 64
        }
    }
}

extension TransactionRequest {
    fileprivate var bytesEstimate: Int {
        var sum = compares.count * 96
        for operation in success { sum += operation.bytesEstimate }
        for operation in failure { sum += operation.bytesEstimate }
        return sum
    }
}

extension Operation {
    fileprivate var bytesEstimate: Int {
        switch self {
        case .put(let put): put.key.count + put.value.count + 24
        case .range, .deleteRange: 192
        case .transaction(let request): request.bytesEstimate + 16
        }
    }
}
