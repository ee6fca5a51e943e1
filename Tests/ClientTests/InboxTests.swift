internal import StrakeClient
internal import Testing

@Suite struct InboxTests {
    private let message = [UInt8](repeating: 1, count: 10)

    /// With room for 100 bytes, and one message more than fits.
    private func full() -> Inbox {
        var inbox = Inbox(bytesMax: 100)
        for _ in 0..<10 { inbox.append(message) }
        #expect(!inbox.isHeld)
        inbox.append(message)
        #expect(inbox.isHeld)
        return inbox
    }

    @Test func `the server is held above the bound and goes on at half of it`() {
        var inbox = full()
        for _ in 0..<5 { #expect(inbox.take()?.releases == false) }
        #expect(inbox.isHeld)
        #expect(inbox.take()?.releases == true)
        #expect(!inbox.isHeld)
        for _ in 0..<5 { #expect(inbox.take()?.releases == false) }
        #expect(inbox.take() == nil && inbox.isEmpty)
    }

    @Test func `what was on the way does not let go of a server that is held`() {
        var inbox = full()
        for _ in 0..<3 { _ = inbox.take() }
        // Below the bound again, and not told to go on.
        inbox.append(message)
        #expect(inbox.isHeld)
        var releases = 0
        while let taken = inbox.take() { releases += taken.releases ? 1 : 0 }
        #expect(releases == 1 && !inbox.isHeld)
    }

    @Test func `a message above the bound is taken in`() {
        var inbox = Inbox(bytesMax: 100)
        inbox.append([UInt8](repeating: 2, count: 101))
        #expect(inbox.isHeld)
        let taken = inbox.take()
        #expect(taken?.message.count == 101 && taken?.releases == true)
    }
}
