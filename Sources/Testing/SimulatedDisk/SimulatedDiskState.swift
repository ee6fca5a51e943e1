internal import Glibc
internal import StrakeLog
internal import StrakeSeededGenerator

struct SimulatedDiskState {
    struct Fault {
        var operation: DiskError.Operation
        var errno: Int32
        var callsBefore: Int
        var pathSuffix: String
    }

    var directories: [String: SimulatedDirectory] = ["/": SimulatedDirectory()]
    /// Created, and their parents not synced since: a power cut may take them.
    var unsyncedDirectories: Set<String> = []
    var inodes: [Int: SimulatedInode] = [:]
    private var nextInode = 1
    var locks: [String: Int] = [:]
    var nextLock = 0
    /// Counts restarts: files opened before the last one are dead.
    private(set) var generation = 0
    var faults: [Fault] = []
    var interrupts: [DiskError.Operation: @Sendable () -> Void] = [:]
    private(set) var changes = 0
    var contactEndsAt = Int.max
    var capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
    }

    func inode(_ path: String) -> SimulatedInode? {
        let place = SimulatedPath(path)
        return directories[place.directory]?.visible[place.name].flatMap { inodes[$0] }
    }

    mutating func open(_ path: String, _ mode: DiskOpenMode) throws(DiskError) -> Int {
        let place = SimulatedPath(path)
        let existing = directories[place.directory]?.visible[place.name]
        switch mode {
        case .existing:
            try enter(.open, path)
            guard let existing else { throw DiskError(operation: .open, path: path, errno: ENOENT) }
            return existing
        case .new:
            guard directories[place.directory] != nil else {
                throw DiskError(operation: .open, path: path, errno: ENOENT)
            }
            guard existing == nil else { throw DiskError(operation: .open, path: path, errno: EEXIST) }
            let number = nextInode
            try change(.open, path) { state in
                state.nextInode += 1
                state.inodes[number] = SimulatedInode()
                state.directories[place.directory]?.create(place.name, number)
            }
            return number
        }
    }

    /// Fails if it was told to, or if contact is lost.
    mutating func enter(_ operation: DiskError.Operation, _ path: String) throws(DiskError) {
        guard changes <= contactEndsAt else { throw DiskError(operation: operation, path: path, errno: EIO) }
        for (position, fault) in faults.enumerated()
        where fault.operation == operation && path.hasSuffix(fault.pathSuffix) {
            if fault.callsBefore == 0 {
                faults.remove(at: position)
                throw DiskError(operation: operation, path: path, errno: fault.errno)
            }
            faults[position].callsBefore -= 1
        }
    }

    mutating func change(
        _ operation: DiskError.Operation, _ path: String,
        _ body: (inout SimulatedDiskState) throws(DiskError) -> Void
    ) throws(DiskError) {
        try enter(operation, path)
        changes += 1
        try body(&self)
        guard changes <= contactEndsAt else { throw DiskError(operation: operation, path: path, errno: EIO) }
    }

    /// A sync during which contact is lost has done nothing that could be relied on.
    mutating func synchronize(
        _ operation: DiskError.Operation, _ path: String, _ body: (inout SimulatedDiskState) -> Void
    ) throws(DiskError) {
        try enter(operation, path)
        changes += 1
        guard changes <= contactEndsAt else { throw DiskError(operation: operation, path: path, errno: EIO) }
        body(&self)
    }

    /// - Parameter body: What it does to the file.
    mutating func sync(
        _ file: SimulatedInode, _ path: String, _ body: (SimulatedInode) -> Void
    ) throws(DiskError) {
        do throws(DiskError) { try synchronize(.sync, path) { _ in body(file) } } catch {
            file.failSync()
            throw error
        }
    }

    mutating func file(
        _ path: String, _ operation: DiskError.Operation, createsIt: Bool = false
    ) throws(DiskError) -> SimulatedInode {
        if let file = inode(path) { return file }
        guard createsIt else { throw DiskError(operation: operation, path: path, errno: ENOENT) }
        let number = try open(path, .new)
        guard let file = inodes[number] else { preconditionFailure("\(path) was not created") }
        return file
    }

    func checkRoom(for file: SimulatedInode, _ path: String, upTo end: Int) throws(DiskError) {
        let growth = max(end - file.visible.count, 0)
        guard growth == 0 || bytesUsed() <= capacity - growth else {
            throw DiskError(operation: .write, path: path, errno: ENOSPC)
        }
    }

    mutating func replace(_ path: String, with bytes: [UInt8]) {
        let place = SimulatedPath(path)
        let number = directories[place.directory]?.visible[place.name] ?? nextInode
        if number == nextInode {
            nextInode += 1
            directories[place.directory]?.create(place.name, number)
            directories[place.directory]?.sync()
        }
        inodes[number] = SimulatedInode(bytes)
    }

    func bytesUsed() -> Int { inodes.values.reduce(0) { $0 + $1.visible.count } }

    mutating func powerCut(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for path in directories.keys.sorted() {
            if unsyncedDirectories.contains(path), random.below(2) == 0 {
                directories = directories.filter { $0.key != path && !$0.key.hasPrefix(path + "/") }
            }
            directories[path]?.powerCut(&random)
        }
        for number in inodes.keys.sorted() { inodes[number]?.powerCut(&random) }
        unsyncedDirectories = []
        restart()
    }

    mutating func restart() {
        generation += 1
        locks = [:]
        faults = []
        contactEndsAt = Int.max
        let named = directories.values.reduce(into: Set<Int>()) { $0.formUnion($1.inodes) }
        inodes = inodes.filter { named.contains($0.key) }
    }
}

/// An absolute path in its two parts.
struct SimulatedPath {
    let directory: String
    let name: String

    init(_ path: String) {
        guard let slash = path.lastIndex(of: "/") else { preconditionFailure("\(path) is not absolute") }
        directory = slash == path.startIndex ? "/" : String(path[..<slash])
        name = String(path[path.index(after: slash)...])
    }
}
