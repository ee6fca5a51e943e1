package import StrakeModel

/// What applying one command came to.
package enum Outcome: Sendable {
    case put(PutResponse)
    case deleteRange(DeleteRangeResponse)
    case txn(TxnResponse)
    /// `isPhysical`: the client waits until the space is free.
    case compacted(isPhysical: Bool)
    case leaseGranted(id: LeaseID, ttlSeconds: Int64)
    case leaseRevoked(LeaseID)
    case leasesExpired([LeaseID])
    case leasesCheckpointed([LeaseCheckpoint])
    case alarms([AlarmMember])
    case memberSet
    /// Carried out; of an authentication: the user gets the token that the entry gives.
    case auth(AuthCommand)
    /// The client is told; the store did not change.
    case refused(StoreError)
}
