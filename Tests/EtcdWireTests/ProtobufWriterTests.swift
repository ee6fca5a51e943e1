internal import StrakeEtcdWire
import Testing

@Suite struct ProtobufWriterTests {
    @Test func `every length of varint is written alike in the middle and at the end of memory`() {
        for shift in UInt64(0)..<64 {
            for value in [UInt64(1) << shift, (UInt64(1) << shift) - 1, UInt64.max >> shift] {
                var expected: [UInt8] = []
                var rest = value
                while rest > 127 {
                    expected.append(UInt8(rest & 127) | 128)
                    rest >>= 7
                }
                expected.append(UInt8(rest))
                #expect(ProtobufWriter.size(value) == expected.count)
                // The fast way needs ten bytes of room; what it puts behind the varint must not matter.
                for room in [expected.count, 10, 20] where room >= expected.count {
                    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 1)
                    defer { memory.deallocate() }
                    var writer = ProtobufWriter(memory)
                    writer.varint(value)
                    #expect(writer.count == expected.count)
                    #expect(memory.prefix(writer.count).elementsEqual(expected))
                }
            }
        }
    }
}
