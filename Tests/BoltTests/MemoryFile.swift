import StrakeBolt

/// A database as tests know it: buckets by name, each with entries in order.
typealias Buckets = [(name: [UInt8], entries: [(key: [UInt8], value: [UInt8])])]

enum MemoryFile {
    /// Counts, then writes, in pieces as a stream takes them.
    static func write(_ buckets: Buckets) -> [UInt8] {
        var counter = BoltWriter.counting()
        for bucket in buckets {
            counter.beginBucket(bucket.name)
            for entry in bucket.entries { counter.count(entry.key, valueCount: entry.value.count) }
            counter.endBucket()
        }
        var writer = BoltWriter(counter.finish())
        var file: [UInt8] = []
        for bucket in buckets {
            writer.beginBucket(bucket.name)
            for entry in bucket.entries {
                writer.add(entry.key, entry.value)
                file += writer.take()
            }
            writer.endBucket()
        }
        _ = writer.finish()
        return file + writer.take()
    }

    static func reader(_ file: [UInt8]) throws(BoltError) -> BoltReader {
        try BoltReader(fileBytes: UInt64(file.count)) { offset, count in
            Array(file[Int(offset)..<Int(offset) + count])
        }
    }

    static func read(_ file: [UInt8]) throws(BoltError) -> Buckets {
        let reader = try reader(file)
        var names: [(name: [UInt8], bucket: BoltBucket)] = []
        try reader.forEach(in: reader.root) { entry throws(BoltError) in
            if entry.isBucket, let bucket = BoltBucket(entry.value) { names.append((Array(entry.key), bucket)) }
            return true
        }
        var buckets: Buckets = []
        for (name, bucket) in names {
            buckets.append((name, []))
            try reader.forEach(in: bucket) { entry throws(BoltError) in
                buckets[buckets.count - 1].entries.append((Array(entry.key), Array(entry.value)))
                return true
            }
        }
        return buckets
    }
}

func isEqual(_ left: Buckets, _ right: Buckets) -> Bool {
    left.elementsEqual(right) { left, right in
        left.name == right.name
            && left.entries.elementsEqual(right.entries) { $0.key == $1.key && $0.value == $1.value }
    }
}

/// Entries whose keys are numbers, as the history's are.
func numbered(_ count: Int, value: (Int) -> [UInt8]) -> [(key: [UInt8], value: [UInt8])] {
    (0..<count).map { number in
        (withUnsafeBytes(of: UInt64(number).bigEndian) { Array($0) }, value(number))
    }
}
