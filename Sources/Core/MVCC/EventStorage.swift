internal import StrakeModel
internal import StrakeTables

/// The memory of one event: header, then the key's bytes, then the value's, in one allocation.
///
/// Never changed after `make`, so any thread may read it.
final class EventStorage: ManagedBuffer<EventHeader, UInt8> {
    /// What an event takes beside key and value: allocation and object header, `EventHeader`, its place in the event
    /// blocks and in a key tree that is two thirds full.
    static let overheadBytes = 24 + MemoryLayout<EventHeader>.stride + 8 + 36

    static func make(
        _ header: EventHeader, key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer
    ) -> EventStorage {
        var header = header
        header.describe(key: key, value: value)
        let made = create(minimumCapacity: key.count + value.count) { [header] _ in header }
        made.withUnsafeMutablePointerToElements { elements in
            let memory = UnsafeMutableRawPointer(elements)
            if let start = key.baseAddress { memory.copyMemory(from: start, byteCount: key.count) }
            if let start = value.baseAddress { (memory + key.count).copyMemory(from: start, byteCount: value.count) }
        }
        return unsafeDowncast(made, to: EventStorage.self)
    }

    /// Good while the event is alive.
    @inline(__always)
    var key: UnsafeRawBufferPointer {
        withUnsafeMutablePointers { header, elements in
            UnsafeRawBufferPointer(start: elements, count: header.pointee.keyCount)
        }
    }

    /// Good while the event is alive.
    var value: UnsafeRawBufferPointer {
        withUnsafeMutablePointers { header, elements in
            UnsafeRawBufferPointer(start: elements + header.pointee.keyCount, count: header.pointee.valueCount)
        }
    }

    var revision: Revision {
        withUnsafeMutablePointerToHeader { $0.pointee.revision }
    }

    var bytes: Int {
        withUnsafeMutablePointerToHeader { $0.pointee.keyCount + $0.pointee.valueCount } + Self.overheadBytes
    }
}

/// A reference to an event that a layer keeps alive: trees and cursors hold these, so copying a node counts nothing.
typealias EventPointer = Unmanaged<EventStorage>

extension EventPointer {
    @inline(__always) var key: UnsafeRawBufferPointer { _withUnsafeGuaranteedRef { $0.key } }
    @inline(__always) var value: UnsafeRawBufferPointer { _withUnsafeGuaranteedRef { $0.value } }
    @inline(__always) var header: EventHeader { _withUnsafeGuaranteedRef { $0.header } }
    @inline(__always) var revision: Revision { _withUnsafeGuaranteedRef { $0.revision } }
}
