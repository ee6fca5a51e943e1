internal import StrakeStore
internal import Synchronization
internal import Testing

@testable import StrakePeers

/// HTTP on the peer port, over a connection.
@Suite(.timeLimit(.minutes(5)))
struct EndpointConnectionTests {
    private static let get = "GET /members HTTP/1.1\r\nHost: a\r\n\r\n"
    private static let refusal = "HTTP/1.1 400 Bad Request\r\n"

    private func ask(_ text: String, of member: TestMember) async throws -> String {
        String(decoding: try await RawClient.exchange(Array(text.utf8), port: member.port), as: UTF8.self)
    }

    private func describedMember(_ configure: (inout PeerOptions) -> Void = { _ in }) async throws -> TestMember {
        let member = try await TestMember.open(1, configure)
        member.receiver.described.withLock { $0 = ClusterDescription(cluster: 0xc1, peerURLs: [1: [member.url]]) }
        return member
    }

    @Test func `a request is answered once, and the operator is not told`() async throws {
        let member = try await describedMember()
        let body = "[{\"id\":1,\"peerURLs\":[\"\(member.url)\"]}]\n"
        // More requests, a body, or rubbish behind the first one change nothing.
        for more in ["", Self.get, "\0\u{1}\u{16}", String(repeating: "x", count: 1 << 20)] {
            let text = try await ask(Self.get + more, of: member)
            #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n") && text.hasSuffix("\r\n\r\n" + body))
            #expect(text.contains("\r\nX-Etcd-Cluster-Id: c1\r\n") && text.contains("\r\nConnection: close\r\n"))
        }
        #expect(try await ask("HEAD /x HTTP/1.0\r\n\r\n", of: member).hasSuffix("Connection: close\r\n\r\n"))
        #expect(member.notices.all.isEmpty)
        member.transport.close()
    }

    @Test func `a request that comes byte by byte is answered`() async throws {
        let member = try await describedMember()
        let answer = try await RawClient.exchange(pieces: Self.get.utf8.map { [$0] }, port: member.port)
        #expect(String(decoding: answer, as: UTF8.self).hasPrefix("HTTP/1.1 200 OK\r\n"))
        member.transport.close()
    }

    @Test func `a head that does not end is refused at the bound`() async throws {
        let member = try await describedMember()
        let line = "GET / HTTP/1.1\r\nHost: a\r\nX: "
        let long = { (bytes: Int) in line + String(repeating: "x", count: bytes - line.utf8.count - 4) + "\r\n\r\n" }
        #expect(try await ask(long(PeerRequest.headBytesMax), of: member).hasPrefix("HTTP/1.1 404 Not Found\r\n"))
        #expect(member.notices.all.isEmpty)
        #expect(try await ask(long(PeerRequest.headBytesMax + 1), of: member).hasPrefix(Self.refusal))
        #expect(member.notices.all.count == 1)
        member.transport.close()
    }

    @Test func `a head that takes too long is refused, and one that was answered is let go`() async throws {
        let member = try await describedMember { $0.handshakeMilliseconds = 4_000 }
        #expect(try await ask("GET / HTTP/1.1\r\n", of: member).isEmpty)
        #expect(
            member.notices.all.map { "\($0)" } == [
                "refused a connection from 127.0.0.1: it did not say who it is within 4000 ms"
            ])
        #expect(try await ask(Self.get, of: member).hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(member.notices.all.count == 1)
        member.transport.close()
    }

    @Test func `what speaks neither protocol hears it, and the operator once`() async throws {
        let member = try await describedMember()
        for text in ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "hello\n"] {
            let answer = try await ask(text, of: member)
            #expect(answer.hasPrefix(Self.refusal) && answer.contains("peer port of a Strake member"))
        }
        #expect(member.notices.all.count == 1)
        #expect(try await RawClient.exchange([0x16, 3, 1, 2, 0, 1, 0, 1], port: member.port).isEmpty)
        #expect(
            member.notices.all.last?.description
                == "refused a connection from 127.0.0.1: it speaks TLS, and has reached a peer URL that begins with http"
        )
        member.transport.close()
    }

    @Test func `a member of etcd is refused, and the operator told once`() async throws {
        let member = try await describedMember()
        for _ in 0..<2 {
            let answer = try await ask("POST /raft HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", of: member)
            #expect(answer.hasPrefix("HTTP/1.1 412 Precondition Failed\r\n"))
            #expect(answer.hasSuffix("\r\n\r\nincompatible version\n"))
        }
        #expect(member.notices.all.count == 1)
        #expect(member.notices.all.first?.description.contains("members of etcd") == true)
        member.transport.close()
    }
}
