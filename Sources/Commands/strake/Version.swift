/// What this build calls itself.
enum Version {
    /// Strake's own version.
    static let strake = "0.1.0"
    /// The etcd whose wire contract is served; clients decide by it what they may ask for.
    static let etcd = "3.7.1"
    /// The contract's major and minor number, as `/version` and the store report it.
    static let cluster = "3.7.0"

    /// What `--version` prints. Scripts read the first line of a program called `etcd`.
    static func text(calledAs name: String) -> String {
        switch name {
        case "etcd": "etcd Version: \(etcd)\nStrake Version: \(strake)"
        case "etcdctl": "etcdctl version: \(etcd)\nAPI version: \(cluster.prefix(3))"
        default: "strake Version: \(strake)\netcd Version: \(etcd)"
        }
    }
}
