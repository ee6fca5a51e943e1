/// What a member that looks for its cluster has to tell its operator.
package enum DiscoveryNotice: Sendable {
    /// What it was about.
    package enum Step: String, Sendable {
        case size = "failed to get cluster size from discovery service"
        case members = "failed to get cluster members from discovery service"
        case registration = "failed to register members itself to the discovery service"
        case wait = "failed to watch for members at the discovery service"
    }

    case registered(key: String, entries: String)
    case found(key: String, entries: String)
    /// A pair that is none of a member.
    case ignored(key: String, problem: RegisteredMembers.Problem)
    case waiting(size: Int, found: Int)
    case complete(size: Int, found: Int)
    /// It is tried again, after a pause.
    case failed(Step, error: String, pauseSeconds: Int)
}
