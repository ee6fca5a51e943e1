internal import Glibc

/// When a log file is begun anew, and which of its predecessors stay.
package struct LogRotation: Sendable, Equatable {
    package var bytesMax = 100 << 20
    /// Days; 0: however old.
    package var ageMax = 0
    /// Files; 0: however many.
    package var backupsMax = 0
    package var usesLocalTime = false
    /// Files stay as they are all the same.
    package var asksForCompression = false

    package init() {}

    /// From a JSON object with etcd's keys. Other keys count for nothing, as in etcd.
    package init(parsing text: String) throws(LogRotationError) {
        var scanner = FlatJSON(text)
        for (key, value) in try scanner.members() {
            switch (key, value) {
            case ("maxsize", .number(let megabytes)) where (0...1_000_000).contains(megabytes):
                bytesMax = (megabytes == 0 ? 100 : megabytes) << 20
            case ("maxage", .number(let days)) where days >= 0: ageMax = days
            case ("maxbackups", .number(let count)) where count >= 0: backupsMax = count
            case ("localtime", .bool(let isLocal)): usesLocalTime = isLocal
            case ("compress", .bool(let compresses)): asksForCompression = compresses
            case ("maxsize", _), ("maxage", _), ("maxbackups", _):
                throw LogRotationError("invalid log rotation config: \(key) takes a whole number of at least 0")
            case ("localtime", _), ("compress", _):
                throw LogRotationError("invalid log rotation config: \(key) takes true or false")
            default: break
            }
        }
    }

    /// The name with the time before its extension.
    func backupName(of path: String, at time: LogTime) -> String {
        let (stem, suffix) = Self.parts(of: path)
        let milliseconds = String(time.microseconds / 1_000)
        return stem + "-" + time.text("%Y-%m-%dT%H-%M-%S", isLocal: usesLocalTime) + "."
            + String(repeating: "0", count: 3 - milliseconds.count) + milliseconds + suffix
    }

    /// Removes what is too old or one too many.
    func removeOld(of path: String) {
        guard backupsMax > 0 || ageMax > 0 else { return }
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        // The time in the name sorts them.
        let backups = Self.names(in: directory.isEmpty ? "." : directory)
            .map { directory + $0 }.filter { isBackup($0, of: path) }.sorted()
        let oldest = LogTime.now.seconds - ageMax * 86_400
        for (index, name) in backups.enumerated() {
            var status = stat()
            let isOld = ageMax > 0 && stat(name, &status) == 0 && status.st_mtim.tv_sec < oldest
            let isExcess = backupsMax > 0 && index < backups.count - backupsMax
            if isOld || isExcess { unlink(name) }
        }
    }

    /// Has the shape that `backupName` gives, and so is ours to remove.
    private func isBackup(_ name: String, of path: String) -> Bool {
        let (stem, suffix) = Self.parts(of: path)
        guard name.hasPrefix(stem + "-"), name.hasSuffix(suffix) else { return false }
        let stamp = name.dropFirst(stem.count + 1).dropLast(suffix.count)
        let shape = "0000-00-00T00-00-00.000"
        return stamp.count == shape.count
            && zip(stamp, shape).allSatisfy { $1 == "0" ? $0.isASCII && $0.isNumber : $0 == $1 }
    }

    private static func parts(of path: String) -> (stem: String, suffix: String) {
        let name = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        guard let dot = path[name...].lastIndex(of: ".") else { return (path, "") }
        return (String(path[..<dot]), String(path[dot...]))
    }

    private static func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            names.append(name)
        }
        return names
    }
}

/// Why a rotation cannot be as it was asked for.
package struct LogRotationError: Error, CustomStringConvertible, Equatable {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
