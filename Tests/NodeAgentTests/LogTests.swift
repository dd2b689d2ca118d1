import Basics
import NodeAgent
import Testing

@Suite struct LogTests {
    private let log = """
        2026-01-02T03:04:05.000000001Z stdout F one
        2026-01-02T03:04:06.000000001Z stdout P two-
        2026-01-02T03:04:06.500000001Z stderr F other
        garbage
        2026-01-02T03:04:07.000000001Z stdout F end

        """

    private func text(_ options: LogOptions) -> String {
        var formatter = LogFormatter(options)
        return String(decoding: formatter.take(log.utf8), as: UTF8.self)
    }

    @Test func joinsPartialLines() {
        #expect(text(LogOptions()) == "one\ntwo-other\nend\n")
    }

    @Test func stampsLinesOnce() throws {
        let options = try LogOptions(query: "timestamps=true", now: WallTime(seconds: 0))
        let lines = text(options).split(separator: "\n")
        #expect(lines.first == "2026-01-02T03:04:05.000000001Z one")
        #expect(lines.last == "end")
    }

    @Test func leavesOutWhatIsOlder() throws {
        let options = try LogOptions(
            query: "sinceTime=2026-01-02T03%3A04%3A07Z", now: WallTime(seconds: 0))
        #expect(text(options) == "end\n")
    }

    @Test func stopsAtTheLimit() throws {
        var formatter = LogFormatter(
            try LogOptions(query: "limitBytes=5", now: WallTime(seconds: 0)))
        #expect(formatter.take(log.utf8) == Bytes("one\nt".utf8))
        #expect(formatter.isFull)
    }

    @Test func takesBytesInAnyPieces() {
        var formatter = LogFormatter(LogOptions())
        var output = Bytes()
        for byte in log.utf8 { output += formatter.take([byte]) }
        #expect(String(decoding: output, as: UTF8.self) == "one\ntwo-other\nend\n")
    }

    @Test(arguments: ["tailLines=-1", "sinceSeconds=x", "limitBytes=0", "sinceTime=now"])
    func refuses(query: String) {
        #expect(throws: RuntimeError.self) {
            try LogOptions(query: query, now: WallTime(seconds: 0))
        }
    }
}
