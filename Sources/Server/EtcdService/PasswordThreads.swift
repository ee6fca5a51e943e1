internal import Glibc
internal import NIOPosix
internal import StrakeCredentials
internal import StrakeStore
internal import Synchronization

/// The threads that hash passwords, some 50 ms each. They give way to all that other clients wait for.
final class PasswordThreads: Sendable {
    /// Where cores are scarce these threads get a tenth of what one of the others gets.
    private static let niceness: Int32 = 10
    /// Passwords that may wait to be hashed. At the bound authentication is refused, before clients wait for longer than
    /// requests may take.
    private static let waitingMax = 128

    private let pool: NIOThreadPool
    private let cost: Int
    private let waiting = Atomic(0)
    private let isStarted = Atomic(false)
    private let verified = VerifiedPasswords()

    init(count: Int, cost: Int) {
        pool = NIOThreadPool(numberOfThreads: count)
        self.cost = cost
    }

    func stop() async { try? await pool.shutdownGracefully() }

    /// - Parameter done: Gets the hash on one of the threads, or nil for a password that cannot be hashed.
    /// - Returns: False: too many wait, and `done` is not called.
    func hash(_ password: [UInt8], done: @escaping @Sendable ([UInt8]?) -> Void) -> Bool {
        let cost = cost
        return run { done(Bcrypt.hash(password, cost: cost)) }
    }

    /// - Parameter hash: Nil: there is no such user, which is not to be told from a wrong password by the time it takes.
    /// - Returns: False: too many wait, and `done` is not called.
    func check(
        _ password: [UInt8], _ hash: [UInt8]?, done: @escaping @Sendable (_ isRight: Bool) -> Void
    ) -> Bool {
        if let hash, verified.contains(password, for: hash, now: MonotonicClock.milliseconds) {
            done(true)
            return true
        }
        let (cost, verified) = (cost, verified)
        return run {
            guard let hash else {
                _ = Bcrypt.hash(Array("nobody's".utf8), cost: cost)
                return done(false)
            }
            let isRight = Bcrypt.matches(password, hash)
            if isRight { verified.insert(password, for: hash, now: MonotonicClock.milliseconds) }
            done(isRight)
        }
    }

    /// Other slow work of the same kind.
    ///
    /// - Returns: False: too much waits, and it is not done.
    func run(_ work: @escaping @Sendable () -> Void) -> Bool {
        guard waiting.add(1, ordering: .relaxed).newValue <= Self.waitingMax else {
            waiting.subtract(1, ordering: .relaxed)
            return false
        }
        // Most members never hash a password.
        if !isStarted.exchange(true, ordering: .relaxed) { pool.start() }
        pool.submit { [self] _ in
            // Linux counts niceness by thread, and a thread can set its own only.
            _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, Self.niceness)
            work()
            waiting.subtract(1, ordering: .relaxed)
            verified.sweep(now: MonotonicClock.milliseconds)
        }
        return true
    }
}
