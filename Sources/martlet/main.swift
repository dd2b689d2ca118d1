import CLI

// Before any other thread exists: signals must reach the one thread that waits for them.
if ["server", "agent"].contains(CommandLine.arguments.dropFirst().first ?? "") {
    StopSignals.block()
}
await Martlet.start()
