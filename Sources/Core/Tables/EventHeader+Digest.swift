internal import StrakeModel

extension EventHeader {
    /// Stands for the event: where it is, what it says, its key and its value (by their checksums). Its place in its key's
    /// chain is left out: a key that was deleted and made anew begins another chain where compaction has taken the old
    /// one already, and members are not equally far in that.
    ///
    /// The digest of a set of events is the sum of theirs, so events can be added to it and taken from it in any order.
    package var digest: UInt64 {
        var digest = Digest()
        digest.add(revision.main, Int64(revision.sub) << 1 | (isTombstone ? 1 : 0))
        digest.add(createRevision, version)
        digest.add(UInt64(bitPattern: lease.rawValue), UInt64(keyCount) << 32 | UInt64(valueCount))
        digest.add(UInt64(keyChecksum), UInt64(valueChecksum))
        return digest.value
    }
}
