internal import CMalloc
internal import Glibc

/// What the process is made of just now, in the terms of Go's runtime. To be read for a page of metrics and not oftener:
/// malloc walks its free blocks for it.
struct RuntimeFigures {
    /// Of malloc.
    struct Heap {
        /// Taken from the system and not given back.
        var systemBytes = 0
        /// Of these, in blocks that are in use. The others are free.
        var usedBytes = 0
    }

    /// Threads of the operating system.
    var threads = 0
    /// Of the main thread, as far as it has grown. The stacks of the other threads are mappings like any other.
    var stackBytes = 0
    /// Private memory that can be written to, stacks of threads included and the main one excluded: heap, static data.
    var dataBytes = 0
    /// Processors that the process may run on.
    var processors = 0
    /// Nil where malloc does not tell.
    var heap: Heap?

    init() {
        readStatus()
        var figures = strake_malloc_figures()
        guard strake_malloc_figures(&figures) == 0 else { return }
        heap = Heap(
            systemBytes: figures.heap + figures.mapped, usedBytes: figures.used + figures.mapped)
    }

    /// Of `dataBytes`, what is not malloc's.
    var otherBytes: Int { max(0, dataBytes - (heap?.systemBytes ?? 0)) }

    /// From /proc/self/status.
    private mutating func readStatus() {
        guard let file = fopen("/proc/self/status", "r") else { return }
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: 1_024)
        while fgets(&buffer, Int32(buffer.count), file) != nil {
            let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            take(text.split(whereSeparator: \.isWhitespace))
        }
    }

    private mutating func take(_ fields: [Substring]) {
        guard fields.count > 1 else { return }
        let number = Int(fields[1]) ?? 0
        switch fields[0] {
        case "Threads:": threads = number
        case "VmStk:": stackBytes = number << 10
        case "VmData:": dataBytes = number << 10
        // A bit each, in hexadecimal digits with a comma between each eight.
        case "Cpus_allowed:": processors = fields[1].reduce(0) { $0 + ($1.hexDigitValue ?? 0).nonzeroBitCount }
        default: break
        }
    }

    /// Whose runtime it is.
    static let toolchain: String = {
        #if compiler(>=6.6)
            "swift6"
        #elseif compiler(>=6.5)
            "swift6.5"
        #elseif compiler(>=6.4)
            "swift6.4"
        #elseif compiler(>=6.3)
            "swift6.3"
        #else
            "swift6.2"
        #endif
    }()
}
