import ArgumentParser
struct ServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "server")
}
