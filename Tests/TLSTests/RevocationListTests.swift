import StrakeTLS
import Testing

struct RevocationListTests {
    @Test func `serial numbers are found whatever zeros precede them`() throws {
        let list = try RevocationList(revocationList([[1], [0x80, 0], [0, 0, 5]]), path: "crl")
        #expect(list.count == 3)
        for (serial, isRevoked) in [
            ([1], true), ([0, 1], true), ([2], false), ([0x80, 0], true), ([0, 0x80, 0], true), ([5], true),
            ([], false),
        ] as [([UInt8], Bool)] {
            #expect(list.contains(serial) == isRevoked, "\(serial)")
        }
    }

    @Test func `an empty list and one without an end are read, as text too`() throws {
        #expect(try RevocationList(revocationList([]), path: "crl").count == 0)
        #expect(try RevocationList(revocationList([[9]], nextUpdate: false), path: "crl").count == 1)
        let text = PEMBlock.encoded("X509 CRL", revocationList([[9], [10]]))
        #expect(try RevocationList(Array("before\n\(text)after".utf8), path: "crl").count == 2)
    }

    @Test func `all lists of a file count, and one that cannot be read makes the file one`() throws {
        let lists = [[[UInt8(9)]], [[10], [11]]].map { PEMBlock.encoded("X509 CRL", revocationList($0)) }
        let list = try RevocationList(Array(lists.joined(separator: "between\n").utf8), path: "crl")
        #expect(list.count == 3 && list.contains([9]) && list.contains([11]))
        for other in ["-----BEGIN X509 CRL-----\n", PEMBlock.encoded("X509 CRL", [1, 2])] {
            #expect(throws: TLSError.self) { try RevocationList(Array((lists[0] + other).utf8), path: "crl") }
        }
    }

    @Test func `a list that ends early or has another byte is refused or read, never trusted`() throws {
        let bytes = revocationList((1...20).map { [UInt8($0), 200] })
        for count in 0..<bytes.count {
            #expect(throws: TLSError.self, "\(count)") { try RevocationList(Array(bytes[..<count]), path: "crl") }
        }
        var refused = 0
        for place in bytes.indices {
            for value: UInt8 in [0, 0x30, 0x7F, 0x80, 0x84, 0xFF] where bytes[place] != value {
                var changed = bytes
                changed[place] = value
                do { #expect(try RevocationList(changed, path: "crl").count <= bytes.count) } catch { refused += 1 }
            }
        }
        #expect(refused > 0)
    }
}
