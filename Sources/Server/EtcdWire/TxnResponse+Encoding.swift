package import StrakeModel

// The responses inside a transaction's answer have headers too: with the revision alone, as the operation saw it. A
// read before the transaction's first change carries the revision before the transaction, everything from that change
// on the one after it. A nested transaction's header is there and empty.

extension TxnResponse: ResponseBody {
    package var fieldsSize: Int {
        var revisions = InnerRevisions(self)
        return fieldsSize(&revisions)
    }

    package func encodeFields(to writer: inout ProtobufWriter) {
        var revisions = InnerRevisions(self)
        encodeFields(&revisions, to: &writer)
    }

    fileprivate var hasChange: Bool { responses.contains { $0.hasChange } }

    fileprivate func fieldsSize(_ revisions: inout InnerRevisions) -> Int {
        var size = ProtobufWriter.size(2, succeeded)
        for response in responses { size += ProtobufWriter.size(3, bytes: response.size(&revisions)) }
        return size
    }

    fileprivate func encodeFields(_ revisions: inout InnerRevisions, to writer: inout ProtobufWriter) {
        writer.field(2, succeeded)
        for response in responses {
            // Sizes come before what they measure: a copy of the state goes ahead to find them.
            var ahead = revisions
            writer.prefix(3, bytes: response.size(&ahead))
            response.encode(&revisions, to: &writer)
        }
    }
}

/// Which revision the next operation's header carries.
private struct InnerRevisions {
    private var current: Int64
    private let final: Int64

    init(_ response: TxnResponse) {
        final = response.revision
        current = response.hasChange ? final - 1 : final
    }

    mutating func next(afterChange isChange: Bool) -> ResponseHeader {
        if isChange { current = final }
        return ResponseHeader(revision: current)
    }
}

extension ResponseOp {
    fileprivate var hasChange: Bool {
        switch self {
        case .range: false
        case .put: true
        case .deleteRange(let response): response.deleted > 0
        case .txn(let response): response.hasChange
        }
    }

    private var field: UInt32 {
        switch self {
        case .range: 1
        case .put: 2
        case .deleteRange: 3
        case .txn: 4
        }
    }

    fileprivate func size(_ revisions: inout InnerRevisions) -> Int {
        ProtobufWriter.size(field, bytes: contentSize(&revisions))
    }

    private func contentSize(_ revisions: inout InnerRevisions) -> Int {
        switch self {
        case .range(let response): Response(revisions.next(afterChange: false), response).encodedSize
        case .put(let response): Response(revisions.next(afterChange: true), response).encodedSize
        case .deleteRange(let response): Response(revisions.next(afterChange: hasChange), response).encodedSize
        case .txn(let response): ResponseHeader().fieldSize + response.fieldsSize(&revisions)
        }
    }

    fileprivate func encode(_ revisions: inout InnerRevisions, to writer: inout ProtobufWriter) {
        var ahead = revisions
        writer.prefix(field, bytes: contentSize(&ahead))
        switch self {
        case .range(let response): Response(revisions.next(afterChange: false), response).encode(to: &writer)
        case .put(let response): Response(revisions.next(afterChange: true), response).encode(to: &writer)
        case .deleteRange(let response): Response(revisions.next(afterChange: hasChange), response).encode(to: &writer)
        case .txn(let response):
            ResponseHeader().encodeField(to: &writer)
            response.encodeFields(&revisions, to: &writer)
        }
    }
}
