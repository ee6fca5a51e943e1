/// The watchers that are told of their progress, those due first in front.
///
/// All wait for the same interval, so a watcher that was looked at goes to the end: a list linked through the
/// watchers' slots, which lets one leave at any time.
struct DueList {
    private(set) var first = -1
    private var last = -1

    mutating func append(_ slot: Int, in table: inout WatcherTable) {
        table[slot].previousDue = last
        table[slot].nextDue = -1
        if last >= 0 { table[last].nextDue = slot } else { first = slot }
        last = slot
    }

    mutating func remove(_ slot: Int, from table: inout WatcherTable) {
        let (previous, next) = (table[slot].previousDue, table[slot].nextDue)
        if previous >= 0 { table[previous].nextDue = next } else { first = next }
        if next >= 0 { table[next].previousDue = previous } else { last = previous }
    }
}
