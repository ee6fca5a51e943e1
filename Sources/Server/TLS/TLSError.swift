/// What is wrong with a certificate, a key or another file: a sentence for the operator that names the file. It never holds
/// anything of a key.
package struct TLSError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
