import ArgumentParser
import Basics
import HTTP
import Store

struct StoreStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show every replica: role, revision, size.")

    @OptionGroup var connection: StoreConnectionOptions

    func run() async throws {
        try await reportingErrors {
            let connection = try await StoreConnection(connection)
            var rows = [
                ["ENDPOINT", "NAME", "MEMBER", "ROLE", "TERM", "INDEX", "REVISION", "SIZE"]
            ]
            var answers = 0
            var remarks: [String] = []
            for endpoint in connection.endpoints {
                let address = "\(endpoint.host):\(endpoint.port)"
                let store = RemoteStore(channel: connection.channel(to: endpoint))
                do {
                    let status = try await store.status()
                    rows.append(row(address, status))
                    remarks += status.alarms.map { "\(address): \($0)" }
                    answers += 1
                } catch {
                    rows.append([address, "", "", "unreachable: \(error)"])
                }
            }
            print(table(rows))
            for remark in remarks { print(remark) }
            guard answers > 0 else { throw CommandError("no replica answers") }
        }
    }

    private func row(_ address: String, _ status: StoreStatus) -> [String] {
        let name = status.members.first { $0.id == status.memberID }?.name ?? ""
        let role =
            status.isLearner
            ? "learner" : status.leaderID == status.memberID ? "leader" : "follower"
        return [
            address, name, String(status.memberID, radix: 16),
            status.leaderID == 0 ? "no leader" : role, String(status.term),
            String(status.appliedIndex), String(status.revision),
            "\((status.fileBytes + 1023) / 1024) KiB",
        ]
    }
}

/// Columns padded to their widest cell, two spaces between.
func table(_ rows: [[String]]) -> String {
    var widths: [Int] = []
    for row in rows {
        for (index, cell) in row.enumerated() {
            if index == widths.count { widths.append(0) }
            widths[index] = max(widths[index], cell.count)
        }
    }
    return rows.map { row in
        var line = ""
        for (index, cell) in row.enumerated() {
            let padding = index + 1 < row.count ? widths[index] - cell.count + 2 : 0
            line += cell + String(repeating: " ", count: padding)
        }
        return line
    }.joined(separator: "\n")
}
