package import StrakeClient
package import StrakeEtcdWire

/// Answers as the messages that etcdctl prints with `-w protobuf`: one after the other, with nothing between them.
package enum ProtobufOutput {
    /// An answer that the client has put together itself has no header, and not an empty one either.
    package static func message(_ header: Header, _ body: some ResponseBody) -> [UInt8] {
        let response = Response(ResponseHeader(header), body)
        let message = response.encoded()
        return header == Header() ? Array(message.dropFirst(response.header.fieldSize)) : message
    }

    /// Of answers about leases etcdctl prints the header alone, and that as a message by itself: clientv3's types for
    /// them have nothing else that can be encoded.
    package static func header(_ header: Header) -> [UInt8] { ResponseHeader(header).encoded() }

    /// - Parameter compactRevision: Of a watch that the server has ended because its start is gone.
    package static func watch(
        _ header: Header, _ events: [Event], compactRevision: Int64 = 0, isCanceled: Bool = false
    ) -> [UInt8] {
        let body = StrakeEtcdWire.WatchResponse(watchID: 0, canceled: isCanceled, compactRevision: compactRevision)
        // Its header is there even when it is empty.
        return Response(ResponseHeader(header), body).encoded() + events.flatMap { $0.watchField() }
    }
}

extension ResponseHeader {
    fileprivate init(_ header: Header) {
        self.init(
            clusterID: header.clusterID, memberID: header.memberID, revision: header.revision,
            raftTerm: header.raftTerm)
    }
}

extension Printer {
    func protobuf(_ header: Header, _ body: some ResponseBody) {
        CommandOutput.bytes(ProtobufOutput.message(header, body))
    }

    /// An answer that is only a header.
    func protobuf(_ header: Header) { protobuf(header, EmptyResponse()) }
}
