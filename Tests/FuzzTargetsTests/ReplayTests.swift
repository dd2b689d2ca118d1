import Basics
import FuzzTargets
import Glibc
import Testing

/// Every input that ever failed, and the fuzzers' whole corpus, through the properties again.
/// An input that fails ends the test process.
@Suite struct ReplayTests {
    @Test(arguments: FuzzTarget.allCases) func corpusAndFailCases(target: FuzzTarget) throws {
        var inputs: [Bytes] = [[], [0], Bytes(repeating: 0xff, count: 64)]
        for folder in ["Corpus", "FailCases"] {
            inputs += try Self.lines(of: "fuzz/\(folder)/\(target.rawValue).hex")
        }
        #expect(inputs.count > 10, "no corpus")
        for input in inputs { target.run(input) }
    }

    @Test(arguments: FuzzTarget.allCases) func randomBytes(target: FuzzTarget) {
        var random = SeededRandom(seed: 1)
        for _ in 0..<50 {
            let length = random.below(120)
            target.run((0..<length).map { _ in UInt8(truncatingIfNeeded: random.below(256)) })
        }
    }

    /// One input a line, in hexadecimal; none if there is no such file.
    private static func lines(of path: String) throws -> [Bytes] {
        guard let file = unsafe fopen(path, "r") else { return [] }
        defer { unsafe fclose(file) }
        var inputs: [Bytes] = []
        var line: UnsafeMutablePointer<CChar>?
        var room = 0
        defer { unsafe free(line) }
        while unsafe getline(&line, &room, file) > 0, let start = unsafe line {
            let digits = unsafe String(cString: start).filter { $0 != "\n" }.map(\.hexDigitValue)
            inputs.append(
                stride(from: 0, to: digits.count - 1, by: 2).map {
                    UInt8((digits[$0] ?? 0) * 16 + (digits[$0 + 1] ?? 0))
                })
        }
        return inputs
    }
}
