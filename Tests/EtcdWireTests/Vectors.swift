/// Reads the text of vectors: names that start a line, bytes in hexadecimal on the lines below, further in.
func parseVectors(_ text: String) -> [(name: String, bytes: [UInt8])] {
    var vectors: [(name: String, bytes: [UInt8])] = []
    for line in text.split(separator: "\n") {
        if line.first == " " {
            vectors[vectors.count - 1].bytes += parseBytes(line.drop { $0 == " " })
        } else {
            vectors.append((String(line), []))
        }
    }
    return vectors
}

/// `0a61` for two bytes, `61*300` for three hundred.
func parseBytes(_ text: some StringProtocol) -> [UInt8] {
    if let star = text.firstIndex(of: "*") {
        let count = Int(text[text.index(after: star)...])!
        return [UInt8](repeating: UInt8(text[..<star], radix: 16)!, count: count)
    }
    let digits = Array(text.utf8)
    return stride(from: 0, to: digits.count, by: 2).map { index in
        UInt8(String(decoding: digits[index..<index + 2], as: UTF8.self), radix: 16)!
    }
}

/// Lends an array's bytes to a decoder that throws a typed error.
func decode<T, E: Error>(
    _ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws(E) -> T
) throws(E) -> T {
    try bytes.withUnsafeBufferPointer { buffer throws(E) in try body(UnsafeRawBufferPointer(buffer)) }
}
