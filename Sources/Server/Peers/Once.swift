internal import Synchronization

/// Something that may happen one time.
final class Once: Sendable {
    private let isTaken = Atomic<Bool>(false)

    /// True for the first caller only.
    func take() -> Bool { !isTaken.exchange(true, ordering: .relaxed) }
}
