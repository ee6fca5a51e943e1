internal import Glibc
internal import Synchronization

/// Where lines go.
package enum LogTarget: Hashable, Sendable {
    case standardError
    case standardOutput
    case file(String)
    /// systemd's.
    case journal

    /// - Parameter text: An item of `--log-outputs`.
    package init(_ text: String) {
        switch text {
        case "default", "stderr": self = .standardError
        case "stdout": self = .standardOutput
        case "systemd/journal": self = .journal
        default: self = .file(text)
        }
    }
}

/// What takes lines. Only the log's thread writes to it.
package protocol LogOutput: Sendable {
    /// Whole lines.
    func write(_ lines: [UInt8])
}

/// An open output. A file may be rotated: at a size it is renamed and begun anew, as the library that etcd uses does it.
package final class LogFile: LogOutput {
    private struct State {
        var descriptor: Int32
        var bytes = 0
        /// In the name of the file that was renamed last.
        var renamed = LogTime(seconds: 0, microseconds: 0)
    }

    private let path: String?
    private let rotation: LogRotation?
    /// Only the log's thread takes it, once the log runs.
    private let state: Mutex<State>

    package convenience init(_ standard: LogTarget) {
        self.init(descriptor: standard == .standardOutput ? STDOUT_FILENO : STDERR_FILENO, path: nil, rotation: nil)
    }

    /// Opens a file, to append to it.
    package convenience init(path: String, rotation: LogRotation? = nil) throws(LogFileError) {
        self.init(descriptor: try Self.openFile(path), path: path, rotation: rotation)
    }

    private init(descriptor: Int32, path: String?, rotation: LogRotation?) {
        self.path = path
        self.rotation = rotation
        state = Mutex(State(descriptor: descriptor, bytes: Self.size(of: descriptor)))
    }

    deinit {
        let descriptor = state.withLock { $0.descriptor }
        if path != nil { close(descriptor) }
    }

    private static func openFile(_ path: String) throws(LogFileError) -> Int32 {
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw LogFileError("open sink \"\(path)\": open \(path): \(LogFileError.reason(errno))")
        }
        return descriptor
    }

    private static func size(of descriptor: Int32) -> Int {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    }

    package func write(_ lines: [UInt8]) {
        state.withLock { state in
            var rest = lines[...]
            while !rest.isEmpty {
                let part = nextPart(of: rest, after: state.bytes)
                if part.isEmpty {
                    rotate(&state)
                    continue
                }
                Self.write(part, &state)
                rest = rest[part.endIndex...]
            }
        }
    }

    /// Lines that fit into the file as it is; none when it must be rotated before. A line that no file would hold fits
    /// into an empty one.
    private func nextPart(of lines: ArraySlice<UInt8>, after bytes: Int) -> ArraySlice<UInt8> {
        guard let limit = rotation?.bytesMax else { return lines }
        var end = lines.startIndex
        while end < lines.endIndex {
            let next = (lines[end...].firstIndex(of: UInt8(ascii: "\n")) ?? lines.endIndex - 1) + 1
            if bytes + (next - lines.startIndex) > limit, bytes > 0 || end > lines.startIndex { break }
            end = next
        }
        return lines[..<end]
    }

    private static func write(_ lines: ArraySlice<UInt8>, _ state: inout State) {
        var rest = lines
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(state.descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            // A disk that is full takes lines again when it has room; those of meanwhile are lost.
            guard count > 0 else { return }
            state.bytes += count
            rest = rest.dropFirst(count)
        }
    }

    /// What cannot be renamed or opened goes on where it was.
    private func rotate(_ state: inout State) {
        guard let path, let rotation else { return }
        state.bytes = 0
        // Names have milliseconds, and no file may take the place or the turn of one that was renamed in the same.
        var time = max(.now, state.renamed.nextMillisecond)
        while access(rotation.backupName(of: path, at: time), F_OK) == 0 { time = time.nextMillisecond }
        state.renamed = time
        guard rename(path, rotation.backupName(of: path, at: time)) == 0, let next = try? Self.openFile(path) else {
            return
        }
        close(state.descriptor)
        state.descriptor = next
        rotation.removeOld(of: path)
    }
}

/// Why an output could not be opened, in etcd's words.
package struct LogFileError: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }

    /// As Go writes it.
    static func reason(_ code: Int32) -> String {
        let reason = String(cString: strerror(code))
        return reason.prefix(1).lowercased() + reason.dropFirst()
    }
}
