/// Upstream's defaults of the kinds served.
enum Defaults {
    static func apply(_ kind: ResourceKind, _ json: inout JSON) {
    }
}
