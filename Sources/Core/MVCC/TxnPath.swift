internal import StrakeModel

/// A transaction whose conditions are decided: what is left to do.
struct TxnPath {
    enum Step {
        case range(RangeRequest)
        case put(PutRequest)
        case deleteRange(DeleteRangeRequest)
        indirect case txn(TxnPath)
    }

    var succeeded: Bool
    var steps: [Step]
}
