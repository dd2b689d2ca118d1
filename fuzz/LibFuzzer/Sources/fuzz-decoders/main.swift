import Basics
import CFuzzer
import FuzzTargets
import Glibc

// MARTLET_FUZZ_TARGET=TARGET fuzz-decoders [libFuzzer's own arguments]. The target is no argument,
// because libFuzzer starts itself again with arguments of its own.

/// Which input format this process fuzzes; set once, before the first input.
nonisolated(unsafe) var chosen = FuzzTarget.command

guard let name = unsafe getenv("MARTLET_FUZZ_TARGET"),
    let target = FuzzTarget(rawValue: unsafe String(cString: name))
else {
    print("set MARTLET_FUZZ_TARGET to one of:")
    for target in FuzzTarget.allCases { print("  \(target.rawValue)") }
    exit(64)
}
unsafe chosen = target

/// What libFuzzer's own `main`, which is linked but not used, asks for.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    unsafe chosen.run(Bytes(UnsafeBufferPointer(start: data, count: size)))
    return 0
}

var count = CommandLine.argc
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? =
    unsafe CommandLine.unsafeArgv
exit(unsafe LLVMFuzzerRunDriver(&count, &arguments) { unsafe testOneInput($0, $1) })
