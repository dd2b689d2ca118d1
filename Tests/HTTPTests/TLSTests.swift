import Basics
import HTTP
import Testing

@Suite(.timeLimit(.minutes(1)))
struct TLSTests {
    private func ask(
        _ server: TLSServerOptions, _ client: TLSClientOptions, host: String = "127.0.0.1"
    ) async throws -> String {
        try await withServer(tls: server, describing) { server, group in
            let client = try await HTTPClientConnection.connect(
                host: host, port: server.port, tls: client, group: group)
            defer { client.close() }
            return text(try await client.request(HTTPClientRequest(target: "/")).body)
        }
    }

    @Test func `A client certificate names its holder`() async throws {
        let pki = try TestPKI()
        let client = try pki.clientOptions(
            "system:node:node-1", organizations: ["system:nodes", "others"])
        for mode in [TLSServerOptions.ClientCertificates.optional, .required] {
            let answer = try await ask(pki.serverOptions(mode), client)
            #expect(answer == "GET /  h2 system:node:node-1/system:nodes+others 0")
        }
        #expect(try await ask(pki.serverOptions(.required), client, host: "localhost") != "")
    }

    @Test func `Without a certificate a client is nobody, or refused`() async throws {
        let pki = try TestPKI()
        let client = try pki.clientOptions()
        #expect(try await ask(pki.serverOptions(.optional), client) == "GET /  h2 nobody 0")
        await #expect(throws: HTTPError.self) {
            _ = try await ask(pki.serverOptions(.required), client)
        }
    }

    @Test func `A certificate of the wrong authority is refused`() async throws {
        let pki = try TestPKI()
        let other = try TestPKI()
        let client = try other.clientOptions("root", trusting: pki)
        for mode in [TLSServerOptions.ClientCertificates.optional, .required] {
            await #expect(throws: HTTPError.self) {
                _ = try await ask(pki.serverOptions(mode), client)
            }
        }
        // The other way round: a server that the client's authority does not know.
        let error = await #expect(throws: HTTPError.self) {
            _ = try await ask(other.serverOptions(.none), try pki.clientOptions())
        }
        #expect(error?.code == .tls)
    }

    @Test func `PEM text that is none is an error`() async throws {
        let pki = try TestPKI()
        var options = pki.serverOptions(.none)
        options.privateKeyPEM = "nonsense"
        let error = await #expect(throws: HTTPError.self) {
            _ = try await ask(options, try pki.clientOptions())
        }
        #expect(error?.code == .tls)
    }

    @Test func `The listener asks the agent that dialled in`() async throws {
        let pki = try TestPKI()
        let arrived = Signal<HTTPClientConnection>()
        let names = Signal<PeerIdentity>()
        try await withServer(
            tls: pki.serverOptions(.optional), describing,
            onTunnel: { peer, connection in
                names.send(peer)
                arrived.send(connection)
            }
        ) { server, group in
            let tunnel = try await HTTPTunnel.serve(
                host: "127.0.0.1", port: server.port,
                tls: try pki.clientOptions("system:node:a", organizations: ["system:nodes"]),
                group: group, handler: describing)
            #expect(await names.wait().commonName == "system:node:a")
            let connection = await arrived.wait()
            for number in 0..<3 {
                let response = try await connection.request(
                    HTTPClientRequest(method: "POST", target: "/logs?n=\(number)"), body: [1, 2])
                #expect(text(response.body) == "POST /logs n=\(number) h2 nobody 2")
            }
            // The port still serves its own requests.
            let client = try await HTTPClientConnection.connect(
                host: "127.0.0.1", port: server.port, tls: try pki.clientOptions(), group: group)
            #expect(try await client.request(HTTPClientRequest(target: "/")).status == 200)
            client.close()
            let closed = Signal<Bool>()
            connection.onClose { closed.send(true) }
            tunnel.close()
            await tunnel.waitUntilClosed()
            #expect(await closed.wait())
        }
    }

    @Test func `A tunnel without a certificate is not taken`() async throws {
        let pki = try TestPKI()
        try await withServer(
            tls: pki.serverOptions(.optional), describing,
            onTunnel: { _, _ in Issue.record("tunnel of nobody") }
        ) { server, group in
            let tunnel = try? await HTTPTunnel.serve(
                host: "127.0.0.1", port: server.port, tls: try pki.clientOptions(), group: group,
                handler: describing)
            await tunnel?.waitUntilClosed()
        }
    }
}
