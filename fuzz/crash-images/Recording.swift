import Basics
import CRecorder

/// Walks the recorded operations and keeps the disk as of each.
struct Recording {
    let root = DiskNode(isDirectory: true)
    private(set) var position = 0
    let count: Int
    /// The newest note of the recorded program: writes acknowledged by now.
    private(set) var acknowledged = 0

    init() {
        count = Int(recorder_count())
    }

    /// Takes in the next operation.
    mutating func advance() {
        let operation = unsafe recorder_operation_at(position)
        position += 1
        let path = unsafe String(cString: operation.path)
        switch unsafe operation.kind {
        case RECORDER_NOTE:
            acknowledged = max(acknowledged, Int(unsafe operation.offset))
        case RECORDER_CREATE: add(path, isDirectory: false)
        case RECORDER_MAKE_DIRECTORY: add(path, isDirectory: true)
        case RECORDER_WRITE:
            let bytes = unsafe UnsafeRawBufferPointer(
                start: operation.bytes, count: operation.length)
            unsafe node(path).write(bytes, at: Int(operation.offset))
        case RECORDER_RESIZE: node(path).resize(Int(unsafe operation.offset))
        case RECORDER_SYNC: node(path).sync()
        case RECORDER_RENAME:
            let target = unsafe String(cString: operation.target)
            let (parent, name) = parent(path)
            let (other, newName) = self.parent(target)
            precondition(parent === other, "\(path) moves to another directory")
            parent.rename(name, to: newName)
        case RECORDER_REMOVE:
            let (parent, name) = parent(path)
            parent.remove(name)
        default: preconditionFailure("unknown operation")
        }
    }

    private func add(_ path: String, isDirectory: Bool) {
        let (parent, name) = parent(path)
        parent.add(name, DiskNode(isDirectory: isDirectory))
    }

    private func node(_ path: String) -> DiskNode {
        var node = root
        for name in path.split(separator: "/") {
            guard let next = node.child(name) else { preconditionFailure("no \(path)") }
            node = next
        }
        return node
    }

    private func parent(_ path: String) -> (DiskNode, Substring) {
        let names = path.split(separator: "/")
        return (node(names.dropLast().joined(separator: "/")), names[names.count - 1])
    }

    /// Sectors of the log and of small files whose fate is open; those of the keyspace file, which
    /// is never synced while it is used, are too many to try them all.
    func openSectors(_ node: DiskNode? = nil, name: String = "") -> Int {
        let node = node ?? root
        guard node.isDirectory else { return name == "data.mdb" ? 0 : node.dirty.count }
        var all = Choice(random: SeededRandom(seed: 0))
        return node.survivors(&all).reduce(0) { $0 + openSectors($1.node, name: $1.name) }
    }
}
