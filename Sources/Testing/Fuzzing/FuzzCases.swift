internal import Glibc

package enum FuzzCases {
    /// Damaged inputs that a test tries; `STRAKE_FUZZ_CASES` sets another number.
    package static let count = getenv("STRAKE_FUZZ_CASES").flatMap { Int(String(cString: $0)) } ?? 100_000
}
