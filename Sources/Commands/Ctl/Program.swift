/// What the process is called and says of itself.
package struct Program: Sendable {
    /// As it is typed: `etcdctl`, or `strake` with the word `ctl` behind it.
    package var name: String
    /// What `version` prints.
    package var versionText: String
    /// Words that may stand behind the name; `ctl` is the one that the commands here stand behind. Empty where they follow
    /// the name at once.
    package var siblings: [String]

    package init(name: String, versionText: String, siblings: [String] = []) {
        self.name = name
        self.versionText = versionText
        self.siblings = siblings
    }
}
