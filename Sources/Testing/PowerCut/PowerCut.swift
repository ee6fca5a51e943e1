internal import StrakeFileCalls
internal import StrakeSeededGenerator
internal import Synchronization

/// A record of every write and sync on the files below one directory, from which to make what a disk might hold had the
/// power failed at any moment.
///
/// It sees the calls of the whole process, shared libraries included (`CFileCalls` says how), but not stores to a shared
/// writable map. Creating, renaming and removing files is taken as durable at once, their content is not. Record before
/// the files are opened, and call `stop()` at the end.
package final class PowerCut: Sendable {
    package var directory: String { watch.directory }
    private let watch: FileCallWatch
    private let recording: Recording
    /// Content of the files that were there before.
    private let baselines: [String: [UInt8]]

    /// Whether the process's calls can be seen at all.
    package static var isInPlace: Bool { FileCalls.areInPlace }

    /// - Parameter note: Asked at every operation; `writes` tells what it said. It must not do file work itself.
    package init(directory: String, note: @escaping @Sendable () -> Int = { 0 }) {
        baselines = Files.names(in: directory).reduce(into: [:]) { baselines, name in
            baselines[name] = Files.read(directory + "/" + name)
        }
        recording = Recording(note: note)
        watch = FileCallWatch(directory, recording)
    }

    package func stop() {
        watch.end()
        fail(with: nil)
    }

    /// Operations recorded until now: a moment to cut at.
    package var position: Int { recording.count }

    /// A write to a file, by its place among the operations.
    package struct Write: Sendable {
        package var position: Int
        /// It was on disk when the call returned.
        package var isDurable: Bool
        package var note: Int
    }

    /// The writes to a file, under the name it had then.
    package func writes(to file: String) -> [Write] {
        recording.operations.enumerated().compactMap { position, operation in
            guard operation.file == file, case .write(_, _, let isDurable) = operation.kind else { return nil }
            return Write(position: position, isDurable: isDurable, note: operation.note)
        }
    }

    /// From now on, calls on the directory's files fail with `errno`, after `count` more succeeded. Nil: no more.
    package func fail(with errno: Int32?, after count: Int = 0) {
        recording.fail(with: errno, after: count)
    }

    /// Writes into `target`, an existing directory, what a disk might hold had the power failed after the first
    /// `position` operations: everything synced by then, and of the rest what `seed` leaves.
    ///
    /// - Parameter ignoring: Files to leave out.
    /// - Parameter isLie: Of a file's `number`-th sync, from 0: the disk did not do it, though it said so. A bug to plant.
    @discardableResult
    package func cut(
        at position: Int, seed: UInt64, into target: String, ignoring: Set<String> = ["lock.mdb"],
        isLie: (_ file: String, _ number: Int) -> Bool = { _, _ in false }
    ) -> CutSummary {
        var random = SeededGenerator(seed: seed)
        let loss = DiskImage.Loss(&random)
        var summary = CutSummary()
        for (file, image) in images(at: position, isLie).sorted(by: { $0.key < $1.key }) {
            if ignoring.contains(Files.lastComponent(of: file)) { continue }
            Files.write(image.bytes(loss, &random, &summary), to: target + "/" + file)
        }
        return summary
    }

    /// The files as they were named after `position` operations.
    private func images(
        at position: Int, _ isLie: (_ file: String, _ number: Int) -> Bool
    ) -> [String: DiskImage] {
        let operations = recording.operations
        var syncs: [String: Int] = [:]
        var images = baselines.mapValues { DiskImage(baseline: $0) }
        for operation in operations.prefix(position) {
            switch operation.kind {
            case .sync:
                // A directory is synced too, and is no file.
                let number = syncs[operation.file, default: 0]
                syncs[operation.file] = number + 1
                if !isLie(operation.file, number) { images[operation.file]?.operations.append(operation) }
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
