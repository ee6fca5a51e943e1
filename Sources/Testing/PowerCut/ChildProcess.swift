internal import CChildProcess
internal import StrakeFileCalls

/// A place to do what may crash the process: reading a damaged environment, for instance.
package enum ChildProcess {
    package enum Ending: Hashable, Sendable {
        case returned(Int32)
        case signal(Int32)
    }

    /// Runs `body`, which returns 0 to 127, in a child, on the only thread it has that runs.
    package static func run(_ body: () -> Int32) -> Ending {
        withoutActuallyEscaping(body) { body in
            var body = {
                FileCalls.observeNothing()
                return body()
            }
            let status = withUnsafeMutablePointer(to: &body) { pointer in
                child_process_run({ $0!.assumingMemoryBound(to: (() -> Int32).self).pointee() }, pointer)
            }
            precondition(status >= 0, "fork: \(-status)")
            return status < 128 ? .returned(status) : .signal(status - 128)
        }
    }
}
