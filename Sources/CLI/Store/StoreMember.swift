import ArgumentParser
import Basics
import EtcdAPI
import HTTP
import ReplicaCore
import Store

struct StoreMember: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "member", abstract: "List and change the replicas of the cluster.",
        subcommands: [
            StoreMemberList.self, StoreMemberAdd.self, StoreMemberRemove.self,
            StoreMemberPromote.self, StoreMemberSet.self, StoreMemberReplace.self,
        ])
}

struct StoreMemberList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Print the members.")

    @OptionGroup var connection: StoreConnectionOptions

    func run() async throws {
        try await reportingErrors {
            let status = try await StoreConnection(connection).store.status()
            var rows = [["ID", "NAME", "PEER URLS", "CLIENT URLS", "IS LEARNER"]]
            for member in status.members {
                rows.append([
                    String(member.id, radix: 16), member.name,
                    member.peerURLs.joined(separator: ","),
                    member.clientURLs.joined(separator: ","), String(member.isLearner),
                ])
            }
            print(table(rows))
        }
    }
}

struct StoreMemberAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Take a new replica in.",
        discussion: """
            It receives as a learner until it has caught up and votes from then on. In a data \
            directory of martlet up the name is the next replica-N: it is laid out there, and \
            martlet server --replica N runs it.
            """)

    @OptionGroup var connection: StoreConnectionOptions
    @Argument(help: "Name of the replica, for example replica-4.") var name: String
    @Argument(help: "Where it listens for its peers: HOST:PORT.") var address: String
    @Flag(help: "It stays a learner until it is promoted.") var learner = false

    func run() async throws {
        try await reportingErrors {
            let connection = try await StoreConnection(connection)
            var member = try newMember(name, address)
            if let directory = self.connection.directory {
                member.clientURLs = try LocalReplica(directory).clientURLs(
                    peerHost: member.peerHost, peerPort: member.peerPort)
            }
            let id = try await connection.change(.add(member, staysLearner: learner))
            print("\(name) is member \(id)\(learner ? ", a learner" : "")")
            guard let directory = self.connection.directory else { return }
            try LocalReplica(directory).layOut(member, id: id)
        }
    }
}

struct StoreMemberRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Take a replica out of the cluster, also the leader.")

    @OptionGroup var connection: StoreConnectionOptions
    @Argument(help: "Name or id of the member.") var member: String

    func run() async throws {
        try await reportingErrors {
            let connection = try await StoreConnection(connection)
            let found = try await connection.member(member)
            _ = try await connection.change(.remove(found.id))
            print("\(found.name) is no member any more")
            if let directory = self.connection.directory {
                try LocalReplica(directory).forget(found.name)
            }
        }
    }
}

struct StoreMemberPromote: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "promote", abstract: "Make a learner that keeps up a voter.")

    @OptionGroup var connection: StoreConnectionOptions
    @Argument(help: "Name or id of the member.") var member: String

    func run() async throws {
        try await reportingErrors {
            let connection = try await StoreConnection(connection)
            let found = try await connection.member(member)
            _ = try await connection.change(.promote(found.id))
            print("\(found.name) votes")
        }
    }
}

struct StoreMemberSet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Change to any set of voters at once.",
        discussion: """
            Newcomers, which run already and are given as NAME=HOST:PORT, catch up first; then one \
            change replaces the old set by the new one. Whoever is not named is removed.
            """)

    @OptionGroup var connection: StoreConnectionOptions
    @Argument(help: "NAME of a member, or NAME=HOST:PORT of a new one.") var members: [String]

    func run() async throws {
        try await reportingErrors {
            let connection = try await StoreConnection(connection)
            var target: [ReplicaMember] = []
            for text in members {
                let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
                target.append(
                    parts.count == 2
                        ? try newMember(parts[0], parts[1])
                        : ReplicaMember(id: 0, name: text, peerHost: "", peerPort: 0))
            }
            _ = try await connection.change(.set(target))
            print("the voters are \(target.map(\.name).joined(separator: ", "))")
        }
    }
}

struct StoreTransferLeader: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transfer-leader", abstract: "Hand leadership to another replica.")

    @OptionGroup var connection: StoreConnectionOptions
    @Argument(help: "Name or id of the member; without it the fittest.") var member: String?

    func run() async throws {
        try await reportingErrors {
            let connection = try await StoreConnection(connection)
            var target = "0"
            if let member { target = String(try await connection.member(member).id, radix: 16) }
            let leader = try await connection.ask(
                AdminService.transferLeadershipPath, Bytes(target.utf8))
            let name = try await connection.member(leader).name
            print("\(name) leads")
        }
    }
}

/// A member that is not in the cluster yet.
private func newMember(_ name: String, _ address: String) throws(CommandError) -> ReplicaMember {
    guard let parsed = PeerAddress(address) else {
        throw CommandError("bad address \(address): it is HOST:PORT")
    }
    return ReplicaMember(id: 0, name: name, peerHost: parsed.host, peerPort: parsed.port)
}

extension StoreConnection {
    /// Asks for a change of the members. Answers the id that it is about, in hexadecimal digits.
    func change(_ request: MemberRequest) async throws(CommandError) -> String {
        try await ask(AdminService.changeMembersPath, request.encoded())
    }

    func ask(_ path: String, _ request: Bytes) async throws(CommandError) -> String {
        let result = await withCheckedContinuation { continuation in
            channel.unary(path, request, timeoutMilliseconds: 60_000) {
                continuation.resume(returning: $0)
            }
        }
        switch result {
        case .success(let answer): return String(decoding: answer, as: UTF8.self)
        case .failure(let status): throw CommandError(status.message)
        }
    }

    /// The member of this name or id.
    func member(_ text: String) async throws -> Member {
        let members = try await store.status().members
        let id = UInt64(text, radix: 16)
        guard
            let found = members.first(where: { $0.name == text })
                ?? members.first(where: { $0.id == id })
        else { throw CommandError("there is no member \(text)") }
        return found
    }
}
