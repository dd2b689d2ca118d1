/// The version that an etcd server says it has, and what can be relied on in it.
package struct ServerVersion: Sendable, Hashable, Comparable {
    package var major: Int
    package var minor: Int
    package var patch: Int

    package init(_ major: Int, _ minor: Int, _ patch: Int) {
        self.major = major
        self.minor = minor
        self.patch = patch
    }

    /// Reads `3.5.1`, with or without something behind it, as `-rc.0`.
    package init?(_ text: String) {
        let numbers = text.split(separator: ".", maxSplits: 2).map { $0.prefix { $0.isNumber } }
        guard numbers.count == 3, let major = Int(numbers[0]), let minor = Int(numbers[1]),
            let patch = Int(numbers[2])
        else { return nil }
        self.init(major, minor, patch)
    }

    package static func < (left: Self, right: Self) -> Bool {
        (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
    }

    /// Whether an answer to a progress request never overtakes events. Before these versions it
    /// may (etcd's issues 15220 and 17529): kube-apiserver does not ask older servers either.
    package var hasExactProgress: Bool {
        switch (major, minor) {
        case (3, 4): patch >= 31
        case (3, 5): patch >= 13
        default: self >= ServerVersion(3, 6, 0)
        }
    }
}
