import Basics
import Glibc
import WriteAheadLog

/// Log files whose syncs take as long as `isStalled` says so.
enum StallingFiles {
    static func wrapping(
        _ files: DirectoryLogFiles, isStalled: @escaping () -> Bool
    ) -> any LogFiles {
        FusedFiles(files) {
            while isStalled() { usleep(1000) }
            return false
        }
    }
}
