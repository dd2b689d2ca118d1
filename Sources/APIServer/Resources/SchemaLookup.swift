import Objects

/// The schema tables as strategic merge patch wants to see them.
enum SchemaLookup {
    static func field(message: String, name: String) -> PatchField? {
        guard let field = Schema.message(message)?.property(name) else { return nil }
        return PatchField(
            mergeKey: field.mergeKey, mergesList: field.patchStrategies.contains("merge"),
            retainsKeys: field.patchStrategies.contains("retainKeys"),
            message: field.message?.name, isMap: field.cardinality == .map)
    }
}
