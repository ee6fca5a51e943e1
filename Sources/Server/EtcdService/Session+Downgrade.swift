internal import StrakeEtcdWire
internal import StrakeHTTP2
internal import StrakeMVCC
internal import StrakeModel
internal import StrakeStore

extension Session {
    func receiveDowngrade(_ stream: StreamID, _ message: UnsafeRawBufferPointer) throws(WireError) {
        let request = try DowngradeRequest(protobuf: message)
        guard let action = DowngradeAction(rawValue: request.action) else {
            return finish(stream, EtcdStatus(code: .unknown, message: "etcdserver: unknown method"))
        }
        // To cancel takes no version, so it is not looked at.
        let target = ClusterVersion(request.version)
        guard action == .cancel || target != nil else {
            return finish(stream, EtcdStatus(EtcdError.downgradeVersionFormat))
        }
        loop.read { failure in
            guard self.streams[stream] != nil else { return }
            if let failure {
                self.refuse(stream, failure)
            } else {
                self.answerDowngrade(action, target, on: stream)
            }
            self.loop.touch(self)
        }
    }

    private func answerDowngrade(_ action: DowngradeAction, _ target: ClusterVersion?, on stream: StreamID) {
        guard let cluster = ClusterVersion(service.options.clusterVersion) else {
            preconditionFailure("cluster version \(service.options.clusterVersion)")
        }
        if action != .cancel, target != cluster.previous {
            return finish(stream, EtcdStatus(EtcdError.downgradeVersionInvalid))
        }
        // etcd would now keep its files readable for the version before. No such version can read those of this server,
        // and to say that the cluster is ready for it would cost somebody their data.
        if action == .enable {
            let text = "etcdserver: no earlier version can read this member's data; take a snapshot to another cluster"
            return finish(stream, EtcdStatus(code: .failedPrecondition, message: text))
        }
        // There is never anything to cancel, which etcd does not mind.
        let header = service.header(revision: service.store.reader.revision)
        reply(stream, Response(header, DowngradeResponse(version: cluster.description)))
    }
}

private enum DowngradeAction: Int32 {
    case validate = 0
    case enable = 1
    case cancel = 2
}
