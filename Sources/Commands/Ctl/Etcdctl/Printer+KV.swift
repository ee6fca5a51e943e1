internal import StrakeClient
internal import StrakeEtcdWire

extension Printer {
    func put(_ answer: Answer<PutResponse>) {
        switch format {
        case .simple, .table: put(answer.body)
        case .fields:
            fields(answer.header)
            fieldsOf(answer.body)
        case .json: json(answer.header) { Self.add(answer.body, to: &$0) }
        case .protobuf: protobuf(answer.header, answer.body)
        }
    }

    func get(_ answer: Answer<RangeResponse>) {
        switch format {
        case .simple, .table: for pair in answer.keyValues { keyValue(pair) }
        case .fields:
            fields(answer.header)
            fieldsOf(answer.body)
        case .json: json(answer.header) { Self.add(answer.body, to: &$0) }
        case .protobuf: protobuf(answer.header, answer.body)
        }
    }

    func delete(_ answer: Answer<DeleteRangeResponse>) {
        switch format {
        case .simple, .table: delete(answer.body)
        case .fields:
            fields(answer.header)
            fieldsOf(answer.body)
        case .json: json(answer.header) { Self.add(answer.body, to: &$0) }
        case .protobuf: protobuf(answer.header, answer.body)
        }
    }

    func txn(_ answer: Answer<TxnResponse>) {
        switch format {
        case .simple, .table: txnLines(answer.body)
        case .fields:
            fields(answer.header)
            field("Succeeded", answer.succeeded)
            var revisions = InnerRevisions(answer.body)
            for response in answer.responses { txnFields(response, &revisions) }
        case .json:
            json(answer.header) { object in
                var revisions = InnerRevisions(answer.body)
                Self.add(answer.body, &revisions, to: &object)
            }
        case .protobuf: protobuf(answer.header, answer.body)
        }
    }

    // MARK: - simple

    private func put(_ response: PutResponse) {
        CommandOutput.line("OK")
        if let previous = response.previous { keyValue(previous) }
    }

    private func delete(_ response: DeleteRangeResponse) {
        CommandOutput.line("\(response.deleted)")
        for pair in response.previous { keyValue(pair) }
    }

    private func txnLines(_ response: TxnResponse) {
        CommandOutput.line(response.succeeded ? "SUCCESS" : "FAILURE")
        for operation in response.responses {
            CommandOutput.line("")
            switch operation {
            case .range(let range): for pair in range.keyValues { keyValue(pair) }
            case .put(let response): put(response)
            case .deleteRange(let response): delete(response)
            case .txn(let inner): txnLines(inner)
            }
        }
    }

    // MARK: - fields

    private func fieldsOf(_ response: PutResponse) {
        if let previous = response.previous { fields("Prev", previous) }
    }

    private func fieldsOf(_ response: RangeResponse) {
        for pair in response.keyValues { fields("", pair) }
        field("More", response.more)
        field("Count", response.count)
    }

    private func fieldsOf(_ response: DeleteRangeResponse) {
        field("Deleted", response.deleted)
        for pair in response.previous { fields("Prev", pair) }
    }

    private func txnFields(_ operation: ResponseOp, _ revisions: inout InnerRevisions) {
        switch operation {
        case .range(let range):
            fields(revisions.next(afterChange: false))
            fieldsOf(range)
        case .put(let put):
            fields(revisions.next(afterChange: true))
            fieldsOf(put)
        case .deleteRange(let delete):
            fields(revisions.next(afterChange: delete.deleted > 0))
            fieldsOf(delete)
        case .txn(let inner):
            fields(Header())
            field("Succeeded", inner.succeeded)
            for response in inner.responses { txnFields(response, &revisions) }
        }
    }

    // MARK: - json

    private static func add(_ response: PutResponse, to object: inout JSONObject) {
        object.addUnlessEmpty("prev_kv", response.previous.map { json($0) })
    }

    private static func add(_ response: RangeResponse, to object: inout JSONObject) {
        object.addUnlessEmpty("kvs", list: response.keyValues.map { json($0).text })
        object.addUnlessEmpty("more", response.more)
        object.addUnlessEmpty("count", response.count)
    }

    private static func add(_ response: DeleteRangeResponse, to object: inout JSONObject) {
        object.addUnlessEmpty("deleted", response.deleted)
        object.addUnlessEmpty("prev_kvs", list: response.previous.map { json($0).text })
    }

    private static func add(_ response: TxnResponse, _ revisions: inout InnerRevisions, to object: inout JSONObject) {
        object.addUnlessEmpty("succeeded", response.succeeded)
        var list: [String] = []
        for operation in response.responses { list.append(json(operation, &revisions).text) }
        object.addUnlessEmpty("responses", list: list)
    }

    /// Go writes a message's one-of as the field that holds it, with the one that is set inside.
    private static func json(_ operation: ResponseOp, _ revisions: inout InnerRevisions) -> JSONObject {
        var body = JSONObject()
        let name: String
        switch operation {
        case .range(let range):
            name = "response_range"
            body.add("header", json(revisions.next(afterChange: false)))
            add(range, to: &body)
        case .put(let put):
            name = "response_put"
            body.add("header", json(revisions.next(afterChange: true)))
            add(put, to: &body)
        case .deleteRange(let delete):
            name = "response_delete_range"
            body.add("header", json(revisions.next(afterChange: delete.deleted > 0)))
            add(delete, to: &body)
        case .txn(let inner):
            name = "response_txn"
            body.add("header", JSONObject())
            add(inner, &revisions, to: &body)
        }
        var choice = JSONObject()
        choice.add(name, body)
        var object = JSONObject()
        object.add("Response", choice)
        return object
    }
}

/// The headers of the answers inside a transaction's have the revision alone: before its first change that before the
/// transaction, from then on the one after it.
struct InnerRevisions {
    private var current: Int64
    private let final: Int64

    init(_ response: TxnResponse) {
        final = response.revision
        current = Self.hasChange(response) ? final - 1 : final
    }

    mutating func next(afterChange isChange: Bool) -> Header {
        if isChange { current = final }
        return Header(revision: current)
    }

    private static func hasChange(_ response: TxnResponse) -> Bool {
        response.responses.contains { operation in
            switch operation {
            case .range: false
            case .put: true
            case .deleteRange(let delete): delete.deleted > 0
            case .txn(let inner): hasChange(inner)
            }
        }
    }
}
