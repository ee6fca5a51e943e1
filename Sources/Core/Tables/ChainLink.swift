package import StrakeModel

/// Where an event stands in the chain of its key's events, with a shortcut to older ones.
///
/// Without shortcuts an old read of a key with a million versions takes a million steps. Events stand in blocks of 16
/// by depth. Inside a block, an event's jump leads to the block's first event. The first events of the blocks are a
/// skew-binary list (Myers, "An applicative random-access stack", 1983): each jumps over a number of blocks that
/// follows from its number alone. So a walk takes at most about 16 + 3 log2(depth / 16) steps, and a new event needs
/// to look up older ones only when it starts a block. Blocks are a trade: with none, walks take a quarter fewer steps,
/// but every other put of a key looks up an old event. (100,000 versions: 39 steps in the mean and 56 at most, one
/// look-up in 16 puts; without blocks 29, 38, and one in 2.)
package struct ChainLink: Hashable, Sendable {
    /// Events of the key before this one, ever: tombstones count, compaction does not lower it.
    package var depth: UInt64
    /// An older event of the key, or zero: none, or none that a read may still ask for.
    package var jump: Revision

    package init(depth: UInt64, jump: Revision) {
        self.depth = depth
        self.jump = jump
    }

    /// Of a key's first event.
    package static var first: ChainLink { ChainLink(depth: 0, jump: .zero) }

    static var blockLength: UInt64 { 16 }

    /// The link of the event that follows the one at `previous`.
    ///
    /// The result depends on the arguments and the events above `compactRevision` only, never on how far physical
    /// compaction has come: members compute the same.
    ///
    /// - Parameters:
    ///   - compactRevision: No read goes below it, so an event at or below it is never worth jumping to or over.
    ///   - linkAt: Looks up an older event of the key, one above `compactRevision`: it exists.
    package static func following<E: Error>(
        _ previous: Revision, _ link: ChainLink, compactRevision: Int64, linkAt: (Revision) throws(E) -> ChainLink
    ) throws(E) -> ChainLink {
        let depth = link.depth + 1
        switch depth % blockLength {
        case 1: return ChainLink(depth: depth, jump: previous)
        case 0: break
        default: return ChainLink(depth: depth, jump: link.jump)
        }
        // A new block: `link.jump` is the first event of the block before.
        let start = link.jump
        let compactRevision = max(compactRevision, Revision.zero.main)
        guard start.main > compactRevision else { return ChainLink(depth: depth, jump: .zero) }
        guard skewSpan(of: depth / blockLength) > 1 else { return ChainLink(depth: depth, jump: start) }
        let next = try linkAt(start).jump
        guard next.main > compactRevision else { return ChainLink(depth: depth, jump: .zero) }
        return ChainLink(depth: depth, jump: try linkAt(next).jump)
    }

    /// How far element `number` of a skew-binary list jumps: the lowest term of `number` as a sum of 2^i - 1, taken
    /// greedily from above. With p the element before, its jump is p's jump's jump when that is above 1, else p.
    static func skewSpan(of number: UInt64) -> UInt64 {
        var rest = number
        while true {
            let bits = UInt64.bitWidth - rest.leadingZeroBitCount
            var term = bits == 64 ? UInt64.max : (1 << UInt64(bits)) - 1
            if term > rest { term >>= 1 }
            if rest == term { return term }
            rest -= term
        }
    }

    /// The next step of a walk to the newest event at or before `main`, from an event above it.
    package func predecessor(previous: Revision, for main: Int64) -> Revision {
        // Events between the jump's target and here are above the target, so above `main` too: not the one sought.
        jump.main > main ? jump : previous
    }
}
