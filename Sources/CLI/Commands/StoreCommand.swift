import ArgumentParser
struct StoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "store")
}
