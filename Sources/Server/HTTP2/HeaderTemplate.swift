/// Fields sent again and again: after the first time their block is a few cached bytes.
struct HeaderTemplate {
    let fields: [HeaderField]
    /// gRPC requests: what comes back is read as messages.
    let isGRPC: Bool
    /// The block, right while the encoder has `version`; 0 is none.
    private var cached: [UInt8] = []
    private var version = 0

    init(fields: [HeaderField], isGRPC: Bool = true) {
        self.fields = fields
        self.isGRPC = isGRPC
    }

    init(response contentType: CallContentType) {
        self.init(fields: [HeaderField(":status", "200"), HeaderField("content-type", contentType.text)])
    }

    @inline(__always)
    mutating func append(to out: inout OutputBuffer, _ encoder: inout HPACKEncoder) {
        encoder.beginBlock(into: &out)
        if version == encoder.version {
            out.append(cached)
        } else {
            encode(to: &out, &encoder)
        }
    }

    @inline(never)
    private mutating func encode(to out: inout OutputBuffer, _ encoder: inout HPACKEncoder) {
        let start = out.end
        let before = encoder.version
        for field in fields { encoder.encode(field, .add, into: &out) }
        // While entries are being added the indices still move: cache it the next time.
        guard encoder.version == before else { return }
        cached = Array(UnsafeRawBufferPointer(start: out.pointer(at: start), count: out.end - start))
        version = before
    }
}
