import StrakeCtl
import Testing

@Suite struct BucketCountsTests {
    static func counts(_ buckets: [(Double, UInt64)]) -> BucketCounts {
        var counts = BucketCounts()
        for (bound, cumulative) in buckets { counts.add(cumulative, atMost: bound) }
        return counts
    }

    /// 10 up to 1 ms, 80 up to 2 ms, 9 up to 4 ms, one above.
    private static let hundred = counts([(0.001, 10), (0.002, 90), (0.004, 99), (.infinity, 100)])

    @Test(
        "a quantile is within its bucket, spread evenly",
        arguments: [
            (0.05, 0, 0.001, 0.0005), (0.10, 0, 0.001, 0.001), (0.50, 0.001, 0.002, 0.0015),
            (0.99, 0.002, 0.004, 0.004),
            // Nothing is known of how far above the last bound.
            (0.999, 0.004, .infinity, 0.004),
        ])
    func quantiles(share: Double, above: Double, atMost: Double, estimate: Double) throws {
        let quantile = try #require(Self.hundred.quantile(share))
        #expect(quantile.above == above && quantile.atMost == atMost)
        #expect(abs(quantile.estimate - estimate) < 1e-12)
    }

    @Test func `nothing observed has no quantile`() {
        #expect(BucketCounts().quantile(0.5) == nil)
        #expect(Self.counts([(0.001, 0), (.infinity, 0)]).quantile(0.99) == nil)
        #expect(Self.hundred.since(Self.hundred).quantile(0.5) == nil)
    }

    @Test func `an empty bucket in front is where a quantile begins`() {
        let quantile = Self.counts([(1, 0), (2, 0), (4, 8), (.infinity, 8)]).quantile(0.5)
        #expect(quantile?.above == 2 && quantile?.atMost == 4 && quantile?.estimate == 3)
    }

    @Test func `what was counted before is left out`() {
        let later = Self.counts([(0.001, 12), (0.002, 95), (0.004, 104), (.infinity, 105)])
        #expect(later.since(Self.hundred) == Self.counts([(0.001, 2), (0.002, 5), (0.004, 5), (.infinity, 5)]))
        #expect(later.since(BucketCounts()) == later)
    }

    @Test func `counts that have fallen began anew`() {
        let anew = Self.counts([(0.001, 11), (0.002, 11), (0.004, 11), (.infinity, 11)])
        #expect(anew.since(Self.hundred) == anew)
        let otherBounds = Self.counts([(0.001, 500), (.infinity, 600)])
        #expect(otherBounds.since(Self.hundred) == otherBounds)
    }

    @Test func `the series of a family add up, in whichever order bounds come`() {
        let counts = Self.counts([(.infinity, 3), (0.001, 1), (0.001, 4), (.infinity, 9)])
        #expect(counts == Self.counts([(0.001, 5), (.infinity, 12)]))
        #expect(counts.total == 12)
    }

    @Test func `members with other bounds add up to what is sure`() {
        let sum = Self.counts([(1, 5), (4, 7), (.infinity, 8)]) + Self.counts([(2, 1), (.infinity, 2)])
        #expect(sum == Self.counts([(1, 5), (2, 6), (4, 8), (.infinity, 10)]))
    }

    @Test func `no page makes it large`() {
        var counts = BucketCounts()
        for bound in 0..<10_000 { counts.add(UInt64(bound), atMost: Double(bound)) }
        #expect(counts.total == UInt64(BucketCounts.bucketsMax - 1))
    }
}
