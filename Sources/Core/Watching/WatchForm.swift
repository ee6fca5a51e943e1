package import StrakeModel

/// What a watcher's responses look like, beside its range.
///
/// Watchers of one range and one form get the same events in the same bytes but for their watch id, so they are
/// matched and can be encoded together.
package struct WatchForm: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    package static let noPut = WatchForm(rawValue: 1)
    package static let noDelete = WatchForm(rawValue: 2)
    /// Events carry the key as it was before.
    package static let previous = WatchForm(rawValue: 4)
    /// A response above the size limit may be split.
    package static let fragment = WatchForm(rawValue: 8)

    package func admits(_ kind: Event.Kind) -> Bool {
        switch kind {
        case .put: !contains(.noPut)
        case .delete: !contains(.noDelete)
        }
    }
}
