internal import Glibc
internal import Synchronization

/// A record of every write and sync on the files below one directory, from which to make what a disk might hold had the
/// power failed at any moment.
///
/// It sees the calls of the whole process, shared libraries included (`CPowerCut` says how), but not stores to a shared
/// writable map. Creating, renaming and removing files is taken as durable at once, their content is not. Record before
/// the files are opened, and call `stop()` at the end.
package final class PowerCut: Sendable {
    package let directory: String
    private let id: UInt64
    /// Content of the files that were there before.
    private let baselines: [String: [UInt8]]

    /// Whether the process's calls can be seen at all.
    package static var isInPlace: Bool { Observer.isInPlace }

    package init(directory: String) {
        guard let real = realpath(directory, nil) else { preconditionFailure("no directory \(directory)") }
        self.directory = String(cString: real)
        free(real)
        var baselines: [String: [UInt8]] = [:]
        for name in Files.names(in: self.directory) { baselines[name] = Files.read(self.directory + "/" + name) }
        self.baselines = baselines
        id = Observer.register(directory: self.directory)
    }

    package func stop() { Observer.unregister(id) }

    /// Operations recorded until now: a moment to cut at.
    package var position: Int { Observer.count(id) }

    /// From now on, calls on the directory's files fail with `errno`, after `count` more succeeded. Nil: no more.
    package func fail(with errno: Int32?, after count: Int = 0) { Observer.fail(id, errno, after: count) }

    /// Writes into `target`, an existing directory, what a disk might hold had the power failed after the first
    /// `position` operations: everything synced by then, and of the rest what `seed` leaves.
    ///
    /// - Parameter ignoring: Files to leave out.
    @discardableResult
    package func cut(
        at position: Int, seed: UInt64, into target: String, ignoring: Set<String> = ["lock.mdb"]
    ) -> CutSummary {
        var random = SplitMix64(seed: seed)
        let loss = DiskImage.Loss(&random)
        var summary = CutSummary()
        for (file, image) in images(at: position).sorted(by: { $0.key < $1.key }) {
            if ignoring.contains(Files.lastComponent(of: file)) { continue }
            Files.write(image.bytes(loss, &random, &summary), to: target + "/" + file)
        }
        return summary
    }

    /// The files as they were named after `position` operations.
    private func images(at position: Int) -> [String: DiskImage] {
        let operations = Observer.operations(id)
        var images = baselines.mapValues { DiskImage(baseline: $0) }
        for operation in operations.prefix(position) {
            switch operation.kind {
            case .sync:
                // A directory is synced too, and is no file.
                images[operation.file]?.operations.append(operation)
            case .write, .truncate:
                images[operation.file, default: DiskImage(baseline: [])].operations.append(operation)
            case .rename(let name): images[name] = images.removeValue(forKey: operation.file)
            case .remove: images[operation.file] = nil
            }
        }
        // The write that was going on may have come to any part.
        if position < operations.count, let next = operations[position].inFlight {
            images[next.file, default: DiskImage(baseline: [])].operations.append(next)
        }
        return images
    }
}
