/// Upstream's rules for the kinds served, with its texts.
enum Validation {
    static func validate(
        _ kind: ResourceKind, _ json: JSON, old: JSON?, subresource: Subresource = .none
    ) -> [FieldError] {
        []
    }
}
