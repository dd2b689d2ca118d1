/// One of etcd's flags, and what Martlet makes of it.
package struct EtcdFlag: Sendable {
    package enum Use: String, Sendable {
        /// It does what it does in etcd.
        case handled
        /// It is taken and changes nothing; a line in the log says why.
        case ignored
        /// The server does not start; the error says what to write instead.
        case refused
    }

    package var name: String
    package var use: Use
    /// Given without a value, it is on.
    package var isSwitch = false
    /// What it does here, or what to write instead.
    package var note: String
    /// Values that ask for what is so anyway: never refused or remarked on.
    package var harmless: [String] = []

    package var variable: String {
        "ETCD_"
            + String(
                name.map { character in
                    character == "-" ? "_" : Character(character.uppercased())
                })
    }

    static func handled(_ name: String, _ note: String, isSwitch: Bool = false) -> EtcdFlag {
        EtcdFlag(name: name, use: .handled, isSwitch: isSwitch, note: note)
    }

    static func ignored(_ name: String, _ note: String, isSwitch: Bool = false) -> EtcdFlag {
        EtcdFlag(name: name, use: .ignored, isSwitch: isSwitch, note: note)
    }

    static func refused(
        _ name: String, _ note: String, isSwitch: Bool = false, harmless: [String] = []
    ) -> EtcdFlag {
        EtcdFlag(
            name: name, use: .refused, isSwitch: isSwitch, note: note,
            harmless: harmless + (isSwitch ? ["false", "0"] : [""]))
    }
}
