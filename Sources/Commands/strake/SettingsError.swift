/// What is wrong with the flags taken together.
struct SettingsError: Error, CustomStringConvertible {
    /// When etcd finds it out, which its words before the reason depend on.
    enum Stage {
        case flags, setup
    }

    let description: String
    let stage: Stage

    init(_ description: String, _ stage: Stage = .flags) {
        self.description = description
        self.stage = stage
    }
}
