internal import NIOCore

/// What a session's bytes go through: the channel of a socket, or the gateway in the same process.
protocol SessionLink: AnyObject {
    func send(_ bytes: ByteBuffer)
    func closeLink()
}

extension ChannelHandlerContext: SessionLink {
    func send(_ bytes: ByteBuffer) { writeAndFlush(NIOAny(bytes), promise: nil) }
    func closeLink() { close(mode: .all, promise: nil) }
}
