import ArgumentParser
import Keyspace
import Store

/// `martlet store alarm`: as `etcdctl alarm`.
struct StoreAlarm: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alarm", abstract: "Alarms of the store: NOSPACE and CORRUPT.",
        discussion: """
            The store clears an alarm by itself when there is space again, or when all replicas \
            agree. docs/runbooks/full-disk.md and docs/runbooks/corrupt-disk.md.
            """,
        subcommands: [StoreAlarmList.self, StoreAlarmDisarm.self])

    /// As etcdctl writes it, but member ids as everywhere here.
    static func text(_ alarm: AlarmChange) -> String {
        let name = alarm.kind == .noSpace ? "NOSPACE" : "CORRUPT"
        return "memberID:\(String(alarm.memberID, radix: 16)) alarm:\(name)"
    }
}

struct StoreAlarmList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Print the alarms that are on; nothing if there are none.")

    @OptionGroup var connection: StoreConnectionOptions

    func run() async throws {
        try await reportingErrors {
            for alarm in try await StoreConnection(connection).store.alarms() {
                print(StoreAlarm.text(alarm))
            }
        }
    }
}

struct StoreAlarmDisarm: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disarm", abstract: "Clear all alarms, and print those that were on.",
        discussion: "What is not mended raises its alarm again.")

    @OptionGroup var connection: StoreConnectionOptions

    func run() async throws {
        try await reportingErrors {
            let store = try await StoreConnection(connection).store
            for var alarm in try await store.alarms() {
                alarm.isRaised = false
                try await store.changeAlarm(alarm)
                print(StoreAlarm.text(alarm))
            }
        }
    }
}
