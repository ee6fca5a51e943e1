/// What an operator can do about files that are damaged or gone.
package enum Remedy {
    private static let copy = "a copy of the whole data directory that was made while the member was stopped."
    package static let ofDamage = "Check the disk first. Put back \(copy)"
    package static let ofMissingFiles = "Put them back, or \(copy)"
}
