internal import StrakeClient
internal import StrakeEtcdWire
internal import StrakeModel
internal import Testing

@Suite struct WatchResumeTests {
    private func resume(from revision: Int64 = 0, goesOn: Bool = false) -> WatchResume {
        var request = WatchCreateRequest(range: .key([0x6B]))
        request.startRevision = revision
        return WatchResume(request, goesOnAfterCompaction: goesOn)
    }

    private func message(_ revision: Int64, events: [Int64] = [], _ change: (inout WatchMessage) -> Void = { _ in })
        -> WatchMessage
    {
        var message = WatchMessage()
        message.header.revision = revision
        message.events = events.map { Messages.event("k", at: $0) }
        change(&message)
        return message
    }

    private func start(_ resume: WatchResume) -> Int64? {
        guard case .create(let create) = resume.createRequest() else { return nil }
        return create.startRevision
    }

    private func delivered(_ step: WatchResume.Step) -> [Int64]? {
        guard case .deliver(let response) = step else { return nil }
        return response.events.map(\.keyValue.modRevision)
    }

    @Test func `a watch from now is resumed from the revision after which it was made`() {
        var resume = resume()
        #expect(start(resume) == 0)
        #expect(resume.receive(message(10) { $0.created = true }) == .created)
        _ = resume.ended(StrakeClientError(.unavailable, "gone"))
        #expect(start(resume) == 11)
    }

    @Test func `it is resumed after the last revision delivered, and what comes again is left out`() {
        var resume = resume(from: 3)
        #expect(resume.receive(message(20) { $0.created = true }) == .created)
        #expect(delivered(resume.receive(message(20, events: [3, 5, 5, 8]))) == [3, 5, 5, 8])
        #expect(resume.ended(StrakeClientError(.internal, "reset")) == .reopen(afterMilliseconds: 1))
        #expect(start(resume) == 9)
        #expect(resume.receive(message(20, events: [5, 8])) == .nothing)
        #expect(delivered(resume.receive(message(21, events: [8, 9]))) == [9])
    }

    @Test func `a revision in parts is delivered whole, and from its beginning after a lost stream`() {
        var resume = resume(from: 4)
        #expect(resume.receive(message(4, events: [4, 4]) { $0.fragment = true }) == .nothing)
        _ = resume.ended(StrakeClientError(.unavailable, "gone"))
        #expect(start(resume) == 4)
        #expect(resume.receive(message(4, events: [4, 4]) { $0.fragment = true }) == .nothing)
        #expect(delivered(resume.receive(message(4, events: [4]))) == [4, 4, 4])
        #expect(start(resume) == 5)
    }

    @Test func `progress moves the place to resume from`() {
        var resume = resume(from: 4)
        #expect(delivered(resume.receive(message(17))) == [])
        #expect(start(resume) == 18)
        #expect(delivered(resume.receive(message(9))) == [])
        #expect(start(resume) == 18)
    }

    @Test func `compaction ends it with the revision`() {
        var resume = resume(from: 4)
        let step = resume.receive(
            message(30) {
                $0.canceled = true
                $0.compactRevision = 12
            })
        guard case .fail(let error) = step else {
            Issue.record("\(step)")
            return
        }
        #expect(error.isCompacted && error.code == .outOfRange && error.compactRevision == 12)
        #expect(error.header?.revision == 30)
    }

    private func compacted(at compactRevision: Int64) -> WatchMessage {
        message(30) {
            $0.canceled = true
            $0.compactRevision = compactRevision
        }
    }

    @Test func `or it tells of the revision and goes on there, and forgets what it had a part of`() {
        var resume = resume(from: 4, goesOn: true)
        #expect(resume.receive(message(9, events: [4, 4]) { $0.fragment = true }) == .nothing)
        guard case .goOn(let response) = resume.receive(compacted(at: 12)) else {
            Issue.record("it does not go on")
            return
        }
        #expect(response.compactRevision == 12 && response.events.isEmpty && !response.isProgress)
        #expect(start(resume) == 12)
        #expect(delivered(resume.receive(message(30, events: [12, 13]))) == [12, 13])
    }

    @Test func `a server that says the same again does not keep it busy`() {
        var resume = resume(from: 12, goesOn: true)
        for revision in [11, 12] as [Int64] {
            guard case .fail(let error) = resume.receive(compacted(at: revision)) else {
                Issue.record("compacted at \(revision), and it goes on")
                return
            }
            #expect(error.isCompacted)
        }
    }

    @Test func `a cancellation for want of a leader is no end, a refusal is`() {
        var resume = resume()
        let noLeader = message(0) {
            $0.canceled = true
            $0.cancelReason = "etcdserver: no leader"
        }
        #expect(resume.receive(noLeader) == .reopen(afterMilliseconds: 1))
        for front in ["", "rpc error: code = PermissionDenied desc = "] {
            let denied = message(0) {
                $0.canceled = true
                $0.cancelReason = front + "etcdserver: permission denied"
            }
            #expect(
                resume.receive(denied)
                    == .fail(StrakeClientError(.permissionDenied, "etcdserver: permission denied", wasSent: true)))
        }
    }

    @Test func `pauses grow while streams come to nothing, up to a bound`() {
        var resume = resume()
        let error = StrakeClientError(.unavailable, "refused")
        let pauses = (0..<9).map { _ in resume.ended(error) }
        #expect(Array(pauses[0...2]) == [1, 2, 4].map { WatchResume.Step.reopen(afterMilliseconds: $0) })
        #expect(pauses[8] == .reopen(afterMilliseconds: WatchResume.pauseMillisecondsMax))
        _ = resume.receive(message(1) { $0.created = true })
        #expect(resume.ended(error) == .reopen(afterMilliseconds: 1))
    }
}
