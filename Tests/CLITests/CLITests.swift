import Basics
import CLI
import Testing

@Suite struct RestartPolicyTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000)

    @Test func firstDeathsAreAnsweredAtOnce() {
        var policy = RestartPolicy()
        for death in 0..<RestartPolicy.freeDeaths {
            let now = start.advanced(milliseconds: UInt64(death) * 100)
            #expect(
                policy.died(exitCode: 1, now: now)
                    == .restart(afterMilliseconds: RestartPolicy.firstDelayMilliseconds))
        }
    }

    @Test func manyDeathsAreHeldBackEverLonger() {
        var policy = RestartPolicy()
        var delays: [UInt64] = []
        for _ in 0..<14 {
            guard case .restart(let delay) = policy.died(exitCode: nil, now: start) else {
                Issue.record("a killed process is always started again")
                return
            }
            delays.append(delay)
        }
        #expect(delays == delays.sorted())
        #expect(delays.last == RestartPolicy.delayMillisecondsMax)
    }

    @Test func oldDeathsAreForgotten() {
        var policy = RestartPolicy()
        for _ in 0..<10 { _ = policy.died(exitCode: nil, now: start) }
        let later = start.advanced(milliseconds: RestartPolicy.windowMilliseconds + 1)
        #expect(
            policy.died(exitCode: nil, now: later)
                == .restart(afterMilliseconds: RestartPolicy.firstDelayMilliseconds))
    }

    @Test(arguments: [FatalExit.syncFailed, .foreignDirectory, .corrupt])
    func finalCodesStayDead(code: FatalExit) {
        var policy = RestartPolicy()
        #expect(policy.died(exitCode: code.rawValue, now: start) == .leaveDead(code))
    }
}
