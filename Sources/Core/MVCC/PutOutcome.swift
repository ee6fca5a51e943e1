package import StrakeModel

/// What a put answers, and what it did to leases.
package struct PutOutcome: Hashable, Sendable {
    package var response: PutResponse
    /// The lease that the key had before.
    package var oldLease: LeaseID

    package init(response: PutResponse, oldLease: LeaseID = .none) {
        self.response = response
        self.oldLease = oldLease
    }
}
