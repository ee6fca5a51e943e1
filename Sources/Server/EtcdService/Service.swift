internal import NIOPosix
internal import StrakeEtcdWire
internal import StrakeMVCC
internal import StrakeModel
internal import StrakeStore
internal import Synchronization

/// What all event loops share: the store, the limits, the counters.
final class Service: Sendable {
    let store: Store
    let options: ServiceOptions
    let metrics: ServiceMetrics
    /// Threads for reads that may take long or touch cold pages.
    let readers: NIOThreadPool
    let slowRequestNanoseconds: UInt64
    let passwords: PasswordThreads
    /// Nil: tokens are remembered by the members.
    let signedTokens: SignedTokens?
    private let caughtUp = Atomic(false)

    init(store: Store, options: ServiceOptions, readers: NIOThreadPool) {
        self.store = store
        self.options = options
        self.readers = readers
        metrics = ServiceMetrics(isExtensive: options.hasExtensiveMetrics)
        let slow = options.slowRequestMilliseconds
        slowRequestNanoseconds = slow > 0 ? UInt64(slow) * 1_000_000 : .max
        signedTokens = options.jwt.map(SignedTokens.init)
        passwords = PasswordThreads(count: readers.numberOfThreads, cost: options.bcryptCost)
    }

    func header(revision: Int64, term: UInt64) -> ResponseHeader {
        ResponseHeader(
            clusterID: store.clusterID, memberID: store.memberID, revision: revision,
            raftTerm: term)
    }

    /// The header of an answer that reads at `revision` now.
    func header(revision: Int64) -> ResponseHeader {
        header(revision: revision, term: store.metrics.term.load(ordering: .relaxed))
    }

    /// Answers a transaction that only reads.
    func answer(_ request: TxnRequest, from view: inout ReadView) throws(MVCCError) -> Response<TxnResponse> {
        let response = try view.txn(request, bytesMax: ServiceOptions.txnAnswerBytesMax)
        store.metrics.recordRead(response)
        return Response(header(revision: view.revision), response)
    }

    /// Damage that a read met: for the operator, who alone can mend it.
    func reportDamage(_ what: String) {
        store.options.onNotice(.damage(what))
    }

    /// This member has once been, since it began, where the cluster was: before, it may not know of users who are there.
    var isCaughtUp: Bool {
        get { caughtUp.load(ordering: .acquiring) }
        set { caughtUp.store(newValue, ordering: .releasing) }
    }

    var hasLeader: Bool { store.metrics.leader.load(ordering: .relaxed) != 0 }
}
