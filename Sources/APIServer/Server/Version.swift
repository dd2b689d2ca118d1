import Documents
import Objects

/// What `/version` and `/healthz` and their like say.
enum ServerVersion {
    /// The API level that is served, with Martlet's own version as build metadata.
    static let gitVersion = "v1.36.0+martlet"

    static let json: JSON = [
        "major": "1", "minor": "36", "emulationMajor": "1", "emulationMinor": "36",
        "minCompatibilityMajor": "1", "minCompatibilityMinor": "35",
        "gitVersion": .string(gitVersion), "gitCommit": "", "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z", "goVersion": "none", "compiler": "swift",
        "platform": "linux/amd64",
    ]
}
