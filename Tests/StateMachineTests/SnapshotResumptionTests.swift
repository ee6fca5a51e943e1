import StrakeModel
import StrakeRaft
import StrakeStateMachine
import StrakeTables
import Testing

struct SnapshotResumptionTests {
    private func machine() throws -> Machine {
        let machine = try Machine()
        for number in 2...200 as ClosedRange<UInt64> {
            let value = [UInt8](repeating: UInt8(number), count: 20_000)
            try machine.apply(Entry(number, .put(PutRequest(key: "key\(number)".bytes, value: value))))
        }
        for number in 201...210 as ClosedRange<UInt64> {
            try machine.apply(Entry(number, .leaseGrant(id: LeaseID(rawValue: Int64(number)), ttlSeconds: 10)))
        }
        return machine
    }

    @Test func `a stream goes on from each of its records, in the same bytes while nothing is removed`() throws {
        let machine = try machine()
        var writer = machine.machine.writer()
        var whole: [UInt8] = []
        while let piece = try writer.next(bytesMax: 1 << 20) { whole += piece }
        var starts: [Int] = [0]
        while let last = starts.last, last < whole.count {
            let length = whole[last..<last + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
            starts.append(last + 8 + length)
        }
        #expect(starts.count > 20 && starts.last == whole.count)
        for start in starts.reversed() + starts {
            #expect(try writer.resume(at: UInt64(start)))
            var rest: [UInt8] = []
            while let piece = try writer.next(bytesMax: 300_000) { rest += piece }
            #expect(rest == Array(whole[start...]), "from \(start)")
        }
    }

    @Test func `no stream goes on from where it has not been`() throws {
        let machine = try machine()
        var writer = machine.machine.writer()
        _ = try writer.next(bytesMax: 10)
        #expect(try !writer.resume(at: 1 << 40))
        writer = machine.machine.writer()
        while try writer.next(bytesMax: 1 << 20) != nil {}
        // In the middle of a record of events.
        #expect(try !writer.resume(at: 1 << 20 + 1))
        #expect(try writer.resume(at: 0))
    }
}
