/// Sees what this process, its shared libraries included, does to the files below a directory. Files are named by their
/// paths from there.
package protocol FileCallObserver: AnyObject, Sendable {
    /// Asked before the call, on the thread that makes it: anything but 0 is the errno that it fails with instead.
    func refusal(of call: FileCall, on file: String) -> Int32

    /// The call has succeeded.
    ///
    /// Under a lock, so that numbers come in order: no file may be touched here.
    ///
    /// - Parameter number: Higher than those of the calls before, of all files.
    func done(_ call: FileCall, on file: String, number: UInt64)
}
