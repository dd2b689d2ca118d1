package import Documents

/// A column of the `Table` form of a list, which `kubectl get` prints as it comes.
package struct TableColumn: Sendable, Hashable {
    package var name: String
    package var type: String
    package var format: String
    package var description: String
    /// 0 is always shown, 1 only with `-o wide`.
    package var priority: Int

    init(
        _ name: String, _ description: String, type: String = "string", format: String = "",
        wide: Bool = false
    ) {
        self.name = name
        self.type = type
        self.format = format
        self.description = description
        priority = wide ? 1 : 0
    }

    package var json: JSON {
        [
            "name": .string(name), "type": .string(type), "format": .string(format),
            "description": .string(description), "priority": .integer(Int64(priority)),
        ]
    }

    static let name = TableColumn(
        "Name", "Name of the object, unique within its namespace.", format: "name")
    static let age = TableColumn("Age", "Time since the object was created.")
    static let containers = TableColumn(
        "Containers", "Names of the containers in the pod template.", wide: true)
    static let images = TableColumn(
        "Images", "Images of the containers in the pod template.", wide: true)
    static let selector = TableColumn(
        "Selector", "Label selector of the pods that belong to it.", wide: true)
}
