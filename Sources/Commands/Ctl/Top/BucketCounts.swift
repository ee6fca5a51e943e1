/// What a histogram of a metrics page has counted: how many observations were at most so large.
package struct BucketCounts: Hashable, Sendable {
    private struct Bucket: Hashable {
        var bound: Double
        var cumulative: UInt64
    }

    /// Where a share of the observations ends, as exactly as buckets tell.
    package struct Quantile: Hashable, Sendable {
        /// The bucket that it is in: above the one, at most the other, which may be infinite.
        package var above: Double
        package var atMost: Double
        /// In between, as if the observations were spread evenly over the bucket; its finite end where the other is infinite.
        package var estimate: Double
    }

    /// Buckets of one histogram; further ones are left out.
    package static let bucketsMax = 64

    /// Bounds ascend, and so do the counts of one histogram.
    private var buckets: [Bucket] = []

    package init() {}

    package var total: UInt64 { buckets.last?.cumulative ?? 0 }

    /// Takes a line of a page. The same bound again is of another series of the family, and adds to it.
    package mutating func add(_ cumulative: UInt64, atMost bound: Double) {
        let place = buckets.firstIndex { $0.bound >= bound } ?? buckets.count
        if place < buckets.count, buckets[place].bound == bound {
            buckets[place].cumulative &+= cumulative
        } else if buckets.count < Self.bucketsMax {
            buckets.insert(Bucket(bound: bound, cumulative: cumulative), at: place)
        }
    }

    /// What was counted after an earlier page of the same member. A count that has fallen, or other bounds, tell that it was
    /// started anew: then all of it was.
    package func since(_ earlier: BucketCounts) -> BucketCounts {
        guard earlier.buckets.map(\.bound) == buckets.map(\.bound),
            zip(buckets, earlier.buckets).allSatisfy({ $0.cumulative >= $1.cumulative })
        else { return self }
        var counts = self
        for place in buckets.indices { counts.buckets[place].cumulative -= earlier.buckets[place].cumulative }
        return counts
    }

    /// Of two members. Where one has a bound that the other has not, the other's count is that at its next bound below.
    package static func + (one: BucketCounts, other: BucketCounts) -> BucketCounts {
        var sum = BucketCounts()
        for bound in Set(one.buckets.map(\.bound) + other.buckets.map(\.bound)).sorted() {
            sum.add(one.count(atMost: bound) &+ other.count(atMost: bound), atMost: bound)
        }
        return sum
    }

    private func count(atMost bound: Double) -> UInt64 {
        buckets.last { $0.bound <= bound }?.cumulative ?? 0
    }

    /// Nil when nothing was observed.
    ///
    /// - Parameter share: 0.99 is what 99 of 100 observations do not exceed.
    package func quantile(_ share: Double) -> Quantile? {
        guard total > 0 else { return nil }
        let rank = share * Double(total)
        var below = Bucket(bound: 0, cumulative: 0)
        for bucket in buckets {
            // Series that were counted one after the other need not ascend to the unit.
            if Double(bucket.cumulative) >= rank, bucket.cumulative > below.cumulative {
                let part = (rank - Double(below.cumulative)) / Double(bucket.cumulative - below.cumulative)
                let width = bucket.bound.isFinite ? bucket.bound - below.bound : 0
                return Quantile(above: below.bound, atMost: bucket.bound, estimate: below.bound + width * part)
            }
            below = bucket
        }
        return nil
    }
}
