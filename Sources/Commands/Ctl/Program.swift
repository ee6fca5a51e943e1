/// What the process says of itself.
package struct Program: Sendable {
    /// What `version` prints.
    package var versionText: String

    package init(versionText: String) {
        self.versionText = versionText
    }
}
