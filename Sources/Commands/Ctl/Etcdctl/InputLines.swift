/// Lines of the standard input, read by a thread of their own so that nothing else waits for them.
enum InputLines {
    static func stream() -> AsyncStream<String> {
        let (stream, continuation) = AsyncStream.makeStream(of: String.self)
        BackgroundThread.run {
            var lines = CommandOutput.Lines()
            while let line = lines.next() { continuation.yield(line) }
            continuation.finish()
        }
        return stream
    }
}
