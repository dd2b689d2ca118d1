package import Basics
import CCrypt

/// Hashes of passwords, as etcd has them: bcrypt of cost 10, some 60 ms each.
package enum Bcrypt {
    /// bcrypt looks no further; a longer password is refused instead of being cut.
    package static let passwordBytesMax = 72
    package static let costDefault: UInt = 10

    /// Nil for a password that bcrypt cannot tell from another one.
    package static func hash(_ password: Bytes, cost: UInt = costDefault) -> Bytes? {
        guard isPossible(password) else { return nil }
        var generator = SystemRandomNumberGenerator()
        let salt = (0..<16).map { _ in CChar(truncatingIfNeeded: generator.next()) }
        var setting = [CChar](repeating: 0, count: Int(CRYPT_GENSALT_OUTPUT_SIZE))
        let made = unsafe crypt_gensalt_rn(
            "$2b$", cost, salt, Int32(salt.count), &setting, Int32(setting.count))
        precondition(unsafe made != nil, "crypt_gensalt_rn has no bcrypt")
        return run(password, setting: setting.map { UInt8(bitPattern: $0) }.prefix { $0 != 0 })
    }

    package static func matches(_ password: Bytes, _ hash: Bytes) -> Bool {
        guard isPossible(password), let made = run(password, setting: hash[...]) else {
            return false
        }
        return areEqual(made, hash)
    }

    /// Looks at every byte, so that the time says nothing of where they differ.
    static func areEqual(_ left: Bytes, _ right: Bytes) -> Bool {
        left.count == right.count && zip(left, right).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private static func isPossible(_ password: Bytes) -> Bool {
        password.count <= passwordBytesMax && !password.contains(0)
    }

    private static func run(_ password: Bytes, setting: ArraySlice<UInt8>) -> Bytes? {
        // 32 KiB, too much for some threads' stacks.
        let data = UnsafeMutablePointer<crypt_data>.allocate(capacity: 1)
        unsafe data.initialize(to: crypt_data())
        defer { unsafe data.deallocate() }
        let phrase = (password + [0]).map { CChar(bitPattern: $0) }
        let wanted = (Bytes(setting) + [0]).map { CChar(bitPattern: $0) }
        guard let found = unsafe crypt_r(phrase, wanted, data), unsafe found.pointee == 0x24 else {
            // A failure is an asterisk and something.
            return nil
        }
        var result = Bytes()
        var next = unsafe found
        while unsafe next.pointee != 0 {
            result.append(UInt8(bitPattern: unsafe next.pointee))
            unsafe next += 1
        }
        return result
    }
}
