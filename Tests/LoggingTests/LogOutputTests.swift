import Glibc
import StrakeLogging
import StrakeTemporaryDirectory
import Testing

struct LogOutputTests {
    private static func lines(of path: String) -> [String] {
        guard let file = fopen(path, "r") else { return [] }
        defer { fclose(file) }
        var text: [UInt8] = []
        while true {
            let byte = fgetc(file)
            if byte == EOF { break }
            text.append(UInt8(byte))
        }
        return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private static func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    @Test func `lines go to all outputs, from the threshold on, and are appended`() throws {
        let directory = TemporaryDirectory()
        let paths = ["a.log", "b.log"].map { directory.path + "/" + $0 }
        for round in 0..<2 {
            let log = ServerLog(
                threshold: .warn, format: .json, outputs: try paths.map { try LogFile(path: $0) })
            log.write(.info, "not this")
            log.write(.warn, "round \(round)", ["key": "value"])
            log.write(.error, "number", values: ["n": .integer(3)])
            log.drain()
        }
        for path in paths {
            let lines = Self.lines(of: path)
            #expect(lines.count == 4)
            #expect(lines.first?.contains("\"msg\":\"round 0\",\"key\":\"value\"") == true)
            #expect(lines.first?.contains("\"caller\":\"StrakeLoggingTests/LogOutputTests.swift:") == true)
            #expect(lines.last?.hasSuffix("\"msg\":\"number\",\"n\":3}") == true)
        }
        var status = stat()
        #expect(stat(paths[0], &status) == 0 && status.st_mode & 0o777 == 0o600)
    }

    @Test func `a file that cannot be opened is told as etcd tells it`() {
        let error = #expect(throws: LogFileError.self) { try LogFile(path: "/nonexistent-dir/x") }
        #expect(
            error?.description
                == "open sink \"/nonexistent-dir/x\": open /nonexistent-dir/x: no such file or directory")
    }

    @Test func `the journal gets an entry for each line, with its level`() throws {
        let directory = TemporaryDirectory()
        let path = directory.path + "/journal"
        let missing = #expect(throws: LogFileError.self) { try JournalOutput(path: path, identifier: "m1") }
        #expect(
            missing?.description
                == "can't find journal (dial unixgram \(path): connect: no such file or directory)")
        let journal = try Journal(at: path)
        for format in [.json, .console] as [LogFormat] {
            let log = ServerLog(
                threshold: .debug, format: format, outputs: [try JournalOutput(path: path, identifier: "m1")])
            log.write(.info, "one\ntwo")
            log.write(.warn, "a \"warn\"")
            log.write(.error, "three")
            log.write(.debug, "four")
            log.drain()
            let entries = (0..<4).map { _ in journal.next() }
            #expect(entries.map { $0["PRIORITY"] } == ["6", "4", "3", "7"])
            #expect(entries.allSatisfy { $0["SYSLOG_IDENTIFIER"] == "m1" && $0["PACKAGE"] == "StrakeLoggingTests" })
            #expect(entries.last?["MESSAGE"]?.contains("four") == true)
        }
    }

    @Test func `an output that takes nothing holds nobody up, and what was dropped is told`() throws {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        let log = ServerLog(outputs: [try LogFile(path: "/proc/self/fd/\(ends[1])")])
        // More than the pipe and the queue hold together.
        let padding = String(repeating: "x", count: 10_000)
        let began = ContinuousClock.now
        for number in 0..<300 { log.write(.info, "line \(number) \(padding)") }
        #expect(ContinuousClock.now - began < .seconds(5))
        // Read until the line about the others has come: it stands behind all that fit.
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while !text.hasSuffix("}\n") || !text.contains("log lines were dropped") {
            let count = read(ends[0], &buffer, buffer.count)
            guard count > 0 else { break }
            text += buffer[..<count]
        }
        let lines = text.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
        let dropped = lines.compactMap { line in
            line.firstRange(of: "\"lines\":").flatMap { Int(line[$0.upperBound...].prefix { $0.isNumber }) }
        }
        #expect(dropped.reduce(0, +) + lines.count - dropped.count == 300)
    }

    @Test func `the same message again and again is thinned out`() throws {
        let directory = TemporaryDirectory()
        let path = directory.path + "/log"
        let log = ServerLog(outputs: [try LogFile(path: path)])
        for number in 0..<1_000 {
            log.write(.warn, "the same")
            if number % 100 == 0 { log.write(.warn, "another \(number)") }
        }
        log.drain()
        let lines = Self.lines(of: path)
        // At most twice, where a second ends in between.
        #expect((109...218).contains(lines.filter { $0.contains("the same") }.count))
        #expect(lines.filter { $0.contains("another") }.count == 10)
    }

    // MARK: Rotation

    @Test func `a file is renamed when it is full, no line is lost or cut, and old files go`() throws {
        let directory = TemporaryDirectory()
        let path = directory.path + "/server.log"
        var rotation = LogRotation()
        rotation.bytesMax = 2_000
        rotation.backupsMax = 3
        // Not ours, whatever it looks like.
        for name in ["server-notes.log", "server-2020-01-01T00-00-00.000.txt"] {
            fclose(fopen(directory.path + "/" + name, "w"))
        }
        let log = ServerLog(outputs: [try LogFile(path: path, rotation: rotation)])
        for number in 0..<200 {
            log.write(.info, "line number \(number)")
            log.drain()
        }
        let backups = Self.names(in: directory.path).filter { $0.hasPrefix("server-2") && $0.hasSuffix(".log") }
        #expect(backups.count == 3)
        #expect(Self.names(in: directory.path).count == 6)
        let kept = (backups.map { directory.path + "/" + $0 } + [path]).map(Self.lines)
        for lines in kept { #expect(lines.reduce(0) { $0 + $1.utf8.count + 1 } <= 2_000) }
        let numbers = kept.joined().compactMap { line in
            line.firstRange(of: "line number ").flatMap { Int(line[$0.upperBound...].prefix { $0.isNumber }) }
        }
        #expect(numbers == Array((200 - numbers.count)..<200))
    }

    @Test func `a line longer than a file may be gets one of its own, and a full file is renamed at the next start`()
        throws
    {
        let directory = TemporaryDirectory()
        let path = directory.path + "/log"
        var rotation = LogRotation()
        rotation.bytesMax = 500
        for _ in 0..<2 {
            let log = ServerLog(outputs: [try LogFile(path: path, rotation: rotation)])
            log.write(.info, String(repeating: "x", count: 1_000))
            log.drain()
        }
        let names = Self.names(in: directory.path)
        #expect(names.count == 2)
        for name in names { #expect(Self.lines(of: directory.path + "/" + name).count == 1) }
    }

    @Test(
        "a rotation's configuration is a JSON object with etcd's keys",
        arguments: [
            ("{}", 100 << 20, 0, 0),
            (
                "{\"maxsize\": 100, \"maxage\": 0, \"maxbackups\": 0, \"localtime\": false, \"compress\": false}",
                100 << 20, 0, 0
            ),
            (" { \"maxsize\" : 1,\n\"maxage\":2 , \"maxbackups\":3,\"other\":\"text\"} ", 1 << 20, 2, 3),
            ("{\"maxsize\":0}", 100 << 20, 0, 0),
        ])
    func configuration(text: String, bytes: Int, days: Int, files: Int) throws {
        let rotation = try LogRotation(parsing: text)
        #expect(rotation.bytesMax == bytes && rotation.ageMax == days && rotation.backupsMax == files)
    }

    @Test(
        "one that is not is refused",
        arguments: [
            ("", "improperly formatted log rotation config: { is missing, at \"\""),
            (
                "{\"maxsize\": }",
                "improperly formatted log rotation config: neither a whole number nor true, false or a text"
            ),
            ("{\"maxsize\": 1", "improperly formatted log rotation config: } is missing, at \"\""),
            ("{\"maxsize\": 1} x", "improperly formatted log rotation config: more text behind the object, at \"x\""),
            ("{maxsize: 1}", "improperly formatted log rotation config: "),
            ("{\"maxsize\": \"1\"}", "invalid log rotation config: maxsize takes a whole number of at least 0"),
            ("{\"maxbackups\": -1}", "invalid log rotation config: maxbackups takes a whole number of at least 0"),
            ("{\"compress\": 1}", "invalid log rotation config: compress takes true or false"),
        ])
    func refusal(text: String, message: String) {
        let error = #expect(throws: LogRotationError.self) { try LogRotation(parsing: text) }
        #expect(error?.description.hasPrefix(message) == true, "\(error?.description ?? "")")
    }
}

extension [UInt8] {
    fileprivate func hasSuffix(_ text: String) -> Bool { suffix(text.utf8.count).elementsEqual(text.utf8) }

    fileprivate func contains(_ text: String) -> Bool {
        String(decoding: suffix(1_000), as: UTF8.self).contains(text)
    }
}

/// Takes what is sent to systemd's journal.
private final class Journal {
    private let descriptor: Int32

    init(at path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(code == 0)
    }

    deinit { close(descriptor) }

    /// The fields of the next entry.
    func next() -> [String: String] {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        let lines = String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self).split(separator: "\n")
        return Dictionary(
            lines.map { line in
                let mark = line.firstIndex(of: "=") ?? line.endIndex
                return (String(line[..<mark]), String(line[mark...].dropFirst()))
            }, uniquingKeysWith: { $1 })
    }
}
