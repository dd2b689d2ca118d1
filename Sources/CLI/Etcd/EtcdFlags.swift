/// What etcd's flags and variables say: a value of each that was given, and remarks for the log.
package struct EtcdFlags: Sendable {
    /// By the flag's name.
    package private(set) var values: [String: String] = [:]
    /// Where each value came from, as people wrote it.
    private var sources: [String: String] = [:]
    package private(set) var remarks: [String] = []

    package struct Failure: Error, CustomStringConvertible {
        package var description: String
    }

    /// Variables of etcd's tools and images that are no flags.
    private static let otherVariables = ["ETCD_UNSUPPORTED_ARCH", "ETCD_VERSION"]

    /// A flag goes before its variable, as in etcd.
    package init(
        arguments: [String], environment: [String: String]
    ) throws(Failure) {
        try read(arguments)
        readVariables(environment)
        try judge()
    }

    package static func areGiven(in environment: [String: String]) -> Bool {
        environment.keys.contains { name in EtcdFlag.all.contains { $0.variable == name } }
    }

    /// Go's flags: one dash or two, a value behind `=` or as the next argument.
    private mutating func read(_ arguments: [String]) throws(Failure) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("-"), argument != "-", argument != "--" else {
                throw Failure(description: "'\(argument)' is not a valid flag")
            }
            let body = argument.drop { $0 == "-" }
            let parts = body.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let flag = EtcdFlag.named(String(parts[0])) else {
                throw Failure(description: "\(argument) is no flag of martlet server or of etcd")
            }
            let value: String
            if parts.count == 2 {
                value = String(parts[1])
            } else if flag.isSwitch {
                value = "true"
            } else if let next = rest.popFirst() {
                value = next
            } else {
                throw Failure(description: "--\(flag.name) needs a value")
            }
            values[flag.name] = value
            sources[flag.name] = "--\(flag.name)"
        }
    }

    private mutating func readVariables(_ environment: [String: String]) {
        for variable in environment.keys.sorted() where variable.hasPrefix("ETCD_") {
            let plain = variable.replacing("ETCD_EXPERIMENTAL_", with: "ETCD_")
            guard let flag = EtcdFlag.all.first(where: { $0.variable == plain }) else {
                if !Self.otherVariables.contains(variable) {
                    remarks.append("\(variable) is no variable of etcd: ignored")
                }
                continue
            }
            guard values[flag.name] == nil else {
                remarks.append("\(variable) is ignored: --\(flag.name) is given")
                continue
            }
            values[flag.name] = environment[variable]
            sources[flag.name] = variable
        }
    }

    private mutating func judge() throws(Failure) {
        for flag in EtcdFlag.all {
            guard let value = values[flag.name], !flag.harmless.contains(value) else { continue }
            switch flag.use {
            case .handled: continue
            case .ignored: remarks.append("\(source(flag.name)) is ignored: \(flag.note)")
            case .refused:
                throw Failure(
                    description: "\(source(flag.name)) is not supported: \(flag.note)")
            }
        }
    }

    /// How a flag was given, for error messages.
    package func source(_ name: String) -> String { sources[name] ?? "--\(name)" }

    package func text(_ name: String, default fallback: String) -> String {
        values[name] ?? fallback
    }

    package func isOn(_ name: String) throws(Failure) -> Bool {
        switch values[name] {
        case nil, "false", "0", "f", "F", "FALSE", "False": return false
        case "true", "1", "t", "T", "TRUE", "True": return true
        case let other?:
            throw Failure(description: "\(source(name)): \(other) is neither true nor false")
        }
    }

    package func number(_ name: String) throws(Failure) -> Int64? {
        guard let text = values[name] else { return nil }
        guard let number = Int64(text) else {
            throw Failure(description: "\(source(name)): \(text) is not a number")
        }
        return number
    }
}
