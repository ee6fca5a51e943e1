package import StrakeModel

/// What is published on its way to a hub, from the thread that applies to the one that has the hub.
///
/// Batches that no watcher of the hub wants do not go in: with the next look, or the next batch, the hub hears how far
/// they went. So a change wakes few hubs besides those that have a watcher for it. Both threads use the inbox, under a
/// lock of its owner's. Who creates a watcher first says what it wants (`want`), then takes what is in here and hands it
/// to the hub, and looks at the store's revision after that: whatever is above what was taken comes by the inbox.
package struct WatchInbox<Changes: Sendable>: Sendable {
    package enum Letter: Sendable {
        /// All changes of the revisions `first...last`.
        case published(Changes, first: Int64, last: Int64)
        /// What was wanted behind `after`, up to `through`, is in the store's history only.
        case skipped(after: Int64, through: Int64)

        fileprivate var before: Int64 {
            switch self {
            case .published(_, let first, _): first - 1
            case .skipped(let after, _): after
            }
        }

        /// Of a hub that has all before the letter.
        fileprivate func step(after published: Int64) -> Step? {
            switch self {
            case .published(let changes, let first, let last) where first == published + 1:
                .publish(changes, first: first, last: last)
            // A batch that was published as the hub began to listen: it has some or all of it behind it.
            case .published(_, _, let last), .skipped(_, let last):
                last > published ? .skip(through: last) : nil
            }
        }
    }

    /// What a hub is to be told next.
    package enum Step: Sendable {
        /// Up to the revision nothing is of interest.
        case pass(through: Int64)
        /// All changes of the revisions `first...last`, which follow what the hub has.
        case publish(Changes, first: Int64, last: Int64)
        /// Who watches finds the changes up to the revision in history.
        case skip(through: Int64)
    }

    /// What was in an inbox, to be told to the hub step by step. Between two batches lie those that nobody wants.
    package struct Taken: Sendable {
        package let letters: [Letter]
        /// Up to here nothing but the letters is of interest to watchers that are not blocked.
        package let passed: Int64
        private var told = 0

        fileprivate init(letters: [Letter], passed: Int64) {
            self.letters = letters
            self.passed = passed
        }

        /// - Parameter published: How far the hub is now. Each step takes it on, so that this comes to an end.
        package mutating func next(after published: Int64) -> Step? {
            while told < letters.count {
                let letter = letters[told]
                if letter.before > published { return .pass(through: letter.before) }
                told += 1
                if let step = letter.step(after: published) { return step }
            }
            return passed > published ? .pass(through: passed) : nil
        }
    }

    private let lettersMax: Int
    private var interest: WatchInterest
    private var letters: [Letter] = []
    /// Of all up to here, what a watcher that is not blocked may want is behind the hub or in the letters. 0: nothing is
    /// known yet.
    private var passed: Int64 = 0
    /// Some watcher is to get what is published. Those that are blocked find it in history.
    private var isListening = false

    /// - Parameters:
    ///   - lettersMax: Letters that wait. At the bound they are let go, and found in history.
    ///   - seed: As of the hub.
    package init(lettersMax: Int = 1_024, seed: UInt64 = 0) {
        interest = WatchInterest(seed: seed)
        self.lettersMax = lettersMax
    }

    // MARK: On the hub's side

    /// Begins to listen. What was published before and is not in here is at or below the revision that the store has
    /// after this call.
    package mutating func listen() {
        isListening = true
        passed = 0
    }

    /// All watchers are blocked, or gone.
    ///
    /// - Returns: What waited. It may hold the last references to much memory: best let go of outside of the lock.
    package mutating func stopListening() -> [Letter] {
        isListening = false
        defer { letters = [] }
        return letters
    }

    package mutating func want(_ range: KeyRange) { interest.insert(range) }

    /// No watcher has the range any more.
    package mutating func forget(_ range: KeyRange) { interest.remove(range) }

    /// Empties it.
    ///
    package mutating func take() -> Taken {
        defer { letters = [] }
        return Taken(letters: letters, passed: passed)
    }

    /// Letters that wait. For tests.
    package var count: Int { letters.count }

    // MARK: On the side that applies

    /// - Returns: The inbox was empty and is no more: the hub is to look.
    package mutating func offer(
        _ changes: Changes, _ batch: some WatchBatch, first: Int64, last: Int64
    ) -> Bool {
        guard isListening else { return false }
        passed = last
        guard interest.mayInclude(batch) else { return false }
        return add(.published(changes, first: first, last: last), through: last)
    }

    /// The store has come to the revision by a snapshot.
    ///
    /// - Returns: As `offer`.
    package mutating func skip(through revision: Int64) -> Bool {
        guard isListening else { return false }
        defer { passed = revision }
        return add(.skipped(after: passed, through: revision), through: revision)
    }

    private mutating func add(_ letter: Letter, through last: Int64) -> Bool {
        guard let first = letters.first else {
            letters = [letter]
            return true
        }
        if letters.count < lettersMax {
            letters.append(letter)
        } else {
            letters = [.skipped(after: first.before, through: last)]
        }
        return false
    }
}
