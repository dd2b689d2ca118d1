import Basics
import HTTP
import Keyspace
import NIOCore
import NIOPosix
import NIOSSL
import Raft
import ReplicaCore

/// All connections of a replica to its peers.
final class PeerTransport: Sendable {
    let clusterID: UInt64
    /// This replica's name and where it listens.
    private let own: ReplicaMember
    var name: String { own.name }
    /// What a member is called that was added without a name.
    var address: String { own.peerAddress }
    let directory: ReplicaDirectory
    let inbox: Mailbox<ReplicaInput>
    let tls: PeerTLS?
    private let budget: MemoryBudget?
    let notice: @Sendable (String) -> Void
    /// Of all links: a batch for every peer costs one wake-up.
    private let linkLoop: any EventLoop
    private let listener: any Channel

    private struct State {
        /// 0 while this replica waits for its replacement.
        var ownID: UInt64
        /// Not 0 while it may take up an id: see `ReplicaEnvironment`.
        var joinToken: UInt64 = 0
        /// Sorted by member id.
        var links: [PeerLink] = []
        /// With the member that said hello; 0 before that.
        var accepted: [(channel: any Channel, peer: UInt64)] = []
        var isStopped = false
        var metrics: [UInt64: PeerMetrics] = [:]
    }
    private let state: Locked<State>

    /// - Parameter identity: this replica's member id, 0 if it has none.
    static func start(
        _ configuration: ReplicaConfiguration, identity: UInt64, directory: ReplicaDirectory,
        inbox: Mailbox<ReplicaInput>
    ) throws(ReplicaFailure) -> PeerTransport {
        guard let own = configuration.members.first(where: { $0.name == configuration.name }) else {
            throw ReplicaFailure(nil, "\(configuration.name) is not a member of the cluster")
        }
        var tls: PeerTLS?
        if let options = configuration.tls { tls = try PeerTLS(options) }
        let owner = Locked<PeerTransport?>(nil)
        let server = tls?.server
        // All peers on one loop: what they answer to the same heartbeat is read in one wake-up.
        let loop = configuration.group.next()
        let notice = configuration.settings.notice
        var bootstrap = ServerBootstrap(group: loop)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        AcceptLimiter(log: { notice("peers: \($0)") }))
                }
            }
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let server {
                        try pipeline.addHandler(NIOSSLServerHandler(context: server))
                    }
                    guard let transport = owner.withLock({ $0 }) else {
                        throw PeerProtocolError("not started")
                    }
                    try pipeline.addHandler(PeerAcceptor(transport))
                }
            }
        for (option, value) in PeerSocket.options {
            bootstrap = bootstrap.childChannelOption(option, value: value)
        }
        let listener: any Channel
        let (host, port) = configuration.peerListener ?? (own.peerHost, own.peerPort)
        do {
            listener = try bootstrap.bind(host: host, port: port).wait()
        } catch {
            throw ReplicaFailure(nil, "cannot listen for peers on \(host):\(port): \(error)")
        }
        let transport = PeerTransport(
            configuration, own, identity, directory, inbox, tls, listener, loop)
        owner.withLock { $0 = transport }
        // The listener's handlers hold the transport, which holds the listener: ended by `stop`.
        listener.closeFuture.whenComplete { _ in owner.withLock { $0 = nil } }
        return transport
    }

    private init(
        _ configuration: ReplicaConfiguration, _ own: ReplicaMember, _ identity: UInt64,
        _ directory: ReplicaDirectory, _ inbox: Mailbox<ReplicaInput>, _ tls: PeerTLS?,
        _ listener: any Channel, _ loop: any EventLoop
    ) {
        clusterID = configuration.clusterID
        self.own = own
        linkLoop = loop
        self.directory = directory
        self.inbox = inbox
        self.tls = tls
        budget = configuration.budget
        self.listener = listener
        notice = configuration.settings.notice
        state = Locked(State(ownID: identity))
    }

    var ownID: UInt64 { state.withLock { $0.ownID } }

    var joinToken: UInt64 { state.withLock { $0.joinToken } }

    func setOwnID(_ id: UInt64, joinToken: UInt64) {
        state.withLock { ($0.ownID, $0.joinToken) = (id, joinToken) }
    }

    /// Dials whom we do not dial yet, and hangs up on who is no member any more.
    func setMembers(_ members: [ReplicaMember], _ invitations: [Invitation]) {
        let own = ownID
        let old = state.withLock { $0.links }
        var links: [PeerLink] = []
        for member in members where member.id != own {
            let token = invitations.first { $0.memberID == member.id }?.token ?? 0
            let hello = hello(to: member, token: token, .messages)
            if let link = old.first(where: { $0.member == member && $0.takes(hello) }) {
                links.append(link)
            } else {
                links.append(
                    PeerLink(
                        member, hello: hello, tls: tls, eventLoop: linkLoop,
                        metrics: metrics(of: member.id), notice: notice
                    ) {
                        self.report($0, of: member.id)
                    })
            }
        }
        for link in old where !links.contains(where: { $0 === link }) { link.close() }
        let isStopped = state.withLock { state -> Bool in
            if !state.isStopped { state.links = links }
            return state.isStopped
        }
        if isStopped { for link in links { link.close() } }
    }

    private func report(_ event: PeerLink.Event, of member: UInt64) {
        switch event {
        case .up: inbox.sendAlways(.peerUp(member))
        case .down: inbox.sendAlways(.peerDown(member))
        case .waiting(let token):
            hangUp(on: member)
            inbox.sendAlways(.found(member, token: token))
        }
    }

    func hello(
        to member: ReplicaMember, token: UInt64 = 0, _ purpose: PeerHello.Purpose
    ) -> PeerHello {
        var from = own
        from.id = ownID
        return PeerHello(
            clusterID: clusterID, from: from, to: member.id, toName: member.name,
            token: token, purpose: purpose)
    }

    var currentLinks: [PeerLink] { state.withLock { $0.links } }

    /// Goes on when a peer's address changes.
    func metrics(of peer: UInt64) -> PeerMetrics {
        state.withLock { state in
            if let known = state.metrics[peer] { return known }
            let made = PeerMetrics()
            state.metrics[peer] = made
            return made
        }
    }

    func isUp(_ peer: UInt64) -> Bool {
        link(to: peer)?.isUp ?? false
    }

    private func link(to peer: UInt64) -> PeerLink? {
        state.withLock { state in state.links.first { $0.member.id == peer } }
    }

    /// Sends Raft's messages, one write for each peer. What cannot be sent is dropped.
    func send(_ messages: [Message]) {
        guard !messages.isEmpty else { return }
        let links = state.withLock { $0.links }
        for link in links {
            var writer = ByteWriter(reserving: bytes(of: messages, to: link.member.id))
            for message in messages where message.to == link.member.id {
                PeerFrame.append(.message, to: &writer) { message.encode(to: &$0) }
            }
            if writer.count > 0 { link.send(writer.bytes) }
        }
    }

    /// About what they take encoded; none at all if there are none.
    private func bytes(of messages: [Message], to member: UInt64) -> Int {
        var bytes = 0
        for message in messages where message.to == member { bytes += 64 + message.entryBytes }
        return bytes
    }

    /// False if the requests were dropped.
    func send(_ requests: [PeerRequest], to peer: UInt64) -> Bool {
        var writer = ByteWriter()
        for request in requests {
            PeerFrame.append(.request, to: &writer) { request.encode(to: &$0) }
        }
        return link(to: peer)?.send(writer.bytes) ?? false
    }

    func send(_ answers: [PeerAnswer], to peer: UInt64) {
        var writer = ByteWriter()
        for answer in answers {
            PeerFrame.append(.answer, to: &writer) { answer.encode(to: &$0) }
        }
        link(to: peer)?.send(writer.bytes)
    }

    /// Hands on what a peer's clients ask. Writes are refused when requests take too much memory:
    /// many followers forward what one leader must hold.
    func take(_ requests: [PeerRequest], bytes: Int, from peer: UInt64) {
        let share = budget.map { BudgetShare(bytes, of: $0) }
        var requests = requests
        if budget?.isExhausted == true {
            let refused = requests.filter(\.isWrite)
            requests.removeAll(where: \.isWrite)
            send(
                refused.map { PeerAnswer(number: $0.number, body: .failed(.tooManyRequests)) },
                to: peer)
        }
        if !requests.isEmpty { _ = inbox.send(.peerRequests(from: peer, requests, share)) }
    }

    /// Streams the keyspace as it is to a peer, on a thread and a connection of its own.
    func sendSnapshot(of keyspace: Keyspace, to member: ReplicaMember, term: UInt64) {
        let sender = SnapshotSender(
            transport: self, eventLoop: linkLoop.next(), member: member,
            hello: hello(to: member, .snapshot), term: term)
        _ = OSThread.start("snapshot-send", .background) { sender.run(keyspace) }
    }

    func accepted(_ channel: any Channel) {
        let isStopped = state.withLock { state -> Bool in
            state.accepted.append((channel, 0))
            return state.isStopped
        }
        if isStopped { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in
            self.state.withLock { state in state.accepted.removeAll { $0.channel === channel } }
        }
    }

    /// An accepted connection said who dialled.
    func accepted(_ channel: any Channel, from peer: UInt64) {
        state.withLock { state in
            for position in state.accepted.indices
            where state.accepted[position].channel === channel {
                state.accepted[position].peer = peer
            }
        }
    }

    /// Nothing more is read of what a process said that is gone. On the loop of all connections.
    private func hangUp(on peer: UInt64) {
        let old = state.withLock { state in state.accepted.filter { $0.peer == peer } }
        for (channel, _) in old { channel.close(promise: nil) }
    }

    /// Closes every connection. Called from a thread that is no event loop's.
    func stop() {
        let (links, accepted) = state.withLock { state in
            state.isStopped = true
            defer { state.links = [] }
            return (state.links, state.accepted.map(\.channel))
        }
        for link in links { link.close() }
        try? listener.close().wait()
        for channel in accepted { channel.close(promise: nil) }
    }
}
