internal import Synchronization

/// A value made of files, and made anew when somebody asks for it and one of them has changed. Nobody watches the files:
/// asking costs a `stat` for each.
final class FileBacked<Value: Sendable>: Sendable {
    private struct State {
        var marks: [FileMark] = []
        var value: Value?
        var problem: TLSError?
    }

    private let files: [String]
    private let make: @Sendable () throws(TLSError) -> Value
    private let onProblem: @Sendable (TLSError) -> Void
    private let state = Mutex(State())

    /// - Parameter onProblem: Told once for each change that cannot be used.
    init(
        _ files: [String], onProblem: @escaping @Sendable (TLSError) -> Void,
        make: @escaping @Sendable () throws(TLSError) -> Value
    ) {
        self.files = files
        self.onProblem = onProblem
        self.make = make
    }

    /// The newest value that could be made; `problem` says why the files' present state gives none.
    ///
    /// - Throws: When there has never been one.
    func current() throws(TLSError) -> (value: Value, problem: TLSError?) {
        // Taken before the files are read: a change meanwhile is seen the next time.
        let marks = files.map { FileMark($0) }
        // The lock is held while they are read: else each event loop would read them, and the older of two results might stay.
        let (value, problem, isNews) = state.withLock { state in
            guard state.marks != marks || state.value == nil else { return (state.value, state.problem, false) }
            let isNews = state.marks != marks
            state.marks = marks
            do throws(TLSError) {
                state.value = try make()
                state.problem = nil
            } catch {
                state.problem = error
            }
            return (state.value, state.problem, isNews && state.problem != nil)
        }
        if isNews, value != nil, let problem { onProblem(problem) }
        guard let value else { throw problem ?? TLSError("nothing was loaded") }
        return (value, problem)
    }
}
