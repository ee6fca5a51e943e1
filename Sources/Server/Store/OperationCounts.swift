internal import StrakeModel
internal import StrakeStateMachine
internal import Synchronization

/// Operations in a batch, those inside transactions included.
struct OperationCounts {
    var puts = 0
    var deletes = 0
    var ranges = 0
    var txns = 0
    var leasesGranted = 0
    var leasesRevoked = 0
    var leasesExpired = 0

    mutating func count(_ outcome: Outcome) {
        switch outcome {
        case .put: puts += 1
        case .deleteRange: deletes += 1
        case .txn(let response): count(response)
        case .leaseGranted: leasesGranted += 1
        case .leaseRevoked: leasesRevoked += 1
        case .leasesExpired(let ids):
            leasesExpired += ids.count
            leasesRevoked += ids.count
        case .compacted, .leasesCheckpointed, .alarms, .memberSet, .auth, .refused: break
        }
    }

    mutating func count(_ response: TxnResponse) {
        txns += 1
        for operation in response.responses {
            switch operation {
            case .range: ranges += 1
            case .put: puts += 1
            case .deleteRange: deletes += 1
            case .txn(let inner): count(inner)
            }
        }
    }
}
