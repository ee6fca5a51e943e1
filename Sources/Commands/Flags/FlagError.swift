/// Why a value does not fit a flag.
package struct ValueProblem: Equatable {
    /// In etcd's words, which scripts may look for.
    package var etcd: String
    /// What is allowed, so that the sentence "it is ..." is right.
    package var form: String

    /// - Parameter etcd: Where etcd says something else than the form.
    init(_ form: String, etcd: String? = nil) {
        self.form = form
        self.etcd = etcd ?? form
    }
}

/// What is wrong with a command line, in the words that etcd's users know.
package enum FlagError: Error, Equatable {
    case notDefined(String)
    case needsArgument(String)
    case invalidBool(flag: String, value: String)
    case invalidValue(flag: String, value: String, problem: ValueProblem)
    case invalidEnvironment(name: String, value: String, problem: ValueProblem)
    case positional(String)
    /// Set in both places: which one is meant cannot be told.
    case shadowed(environment: String)

    /// A line for the terminal.
    package var message: String {
        switch self {
        case .invalidValue(let flag, let value, let problem):
            "invalid value \"\(value)\" for flag -\(flag): \(problem.form)"
        case .invalidEnvironment(let name, let value, let problem):
            "invalid value \"\(value)\" for \(name): \(problem.form)"
        case .notDefined, .needsArgument, .invalidBool, .positional, .shadowed: etcdMessage
        }
    }

    /// Word for word what etcd says.
    package var etcdMessage: String {
        switch self {
        case .notDefined(let name): "flag provided but not defined: -\(name)"
        case .needsArgument(let name): "flag needs an argument: -\(name)"
        case .invalidBool(let flag, let value): "invalid boolean value \"\(value)\" for -\(flag): parse error"
        case .invalidValue(let flag, let value, let problem):
            "invalid value \"\(value)\" for flag -\(flag): \(problem.etcd)"
        case .invalidEnvironment(let name, let value, let problem):
            "invalid value \"\(value)\" for \(name): \(problem.etcd)"
        case .positional(let word): "\"\(word)\" is not a valid flag"
        case .shadowed:
            "conflicting environment variable is shadowed by corresponding command-line flag "
                + "(either unset environment variable or disable flag))"
        }
    }

    /// What to write instead, where etcd's words do not say it.
    package var advice: String? {
        switch self {
        case .invalidValue(let flag, _, let problem): problem.form == problem.etcd ? nil : "--\(flag): \(problem.form)"
        case .invalidEnvironment(let name, _, let problem):
            problem.form == problem.etcd ? nil : "\(name): \(problem.form)"
        case .invalidBool(let flag, _): "--\(flag): neither true nor false"
        case .shadowed(let environment): environment
        case .notDefined(let name): Self.laterName(of: name).map { "since etcd 3.6 it is \($0)" }
        case .needsArgument, .positional: nil
        }
    }

    /// What etcd exits with: Go's flag package with 2 when it cannot read the command line, etcd itself with 1 for what it
    /// finds out later.
    package var etcdExitCode: Int32 {
        switch self {
        case .notDefined, .needsArgument, .invalidBool, .invalidValue: 2
        case .invalidEnvironment, .positional, .shadowed: 1
        }
    }

    /// Until 3.5 what could change was called experimental. Some of it became a feature gate, the rest lost the word.
    private static func laterName(of name: String) -> String? {
        guard name.hasPrefix("experimental-") else { return nil }
        return gates[name].map { "--feature-gates=\($0)=true" } ?? "--" + name.dropFirst("experimental-".count)
    }

    private static let gates = [
        "experimental-initial-corrupt-check": "InitialCorruptCheck",
        "experimental-compact-hash-check-enabled": "CompactHashCheck",
        "experimental-enable-lease-checkpoint": "LeaseCheckpoint",
        "experimental-enable-lease-checkpoint-persist": "LeaseCheckpointPersist",
        "experimental-stop-grpc-service-on-defrag": "StopGRPCServiceOnDefrag",
        "experimental-txn-mode-write-with-shared-buffer": "TxnModeWriteWithSharedBuffer",
    ]
}
