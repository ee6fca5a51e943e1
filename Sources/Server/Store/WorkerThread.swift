internal import Glibc

/// A thread of its own for work that waits on the disk: a plain pthread, because a hop to one costs half of a hop to a
/// pool, and nothing else may queue behind a flush.
final class WorkerThread: Sendable {
    private let handle: pthread_t

    /// Starts the thread.
    ///
    /// - Parameter name: Shown by tools such as `top -H`; at most 15 bytes count.
    init(name: String, body: @escaping @Sendable () -> Void) {
        final class Start {
            let name: String
            let body: @Sendable () -> Void

            init(name: String, body: @escaping @Sendable () -> Void) {
                self.name = name
                self.body = body
            }
        }
        var handle = pthread_t()
        let start = Unmanaged.passRetained(Start(name: name, body: body)).toOpaque()
        let code = pthread_create(
            &handle, nil,
            { raw in
                let start = Unmanaged<Start>.fromOpaque(raw!).takeRetainedValue()
                WorkerThread.setName(start.name)
                start.body()
                return nil
            }, start)
        precondition(code == 0, "pthread_create failed: \(code)")
        self.handle = handle
    }

    /// Glibc's module lacks the call that does this, /proc does not.
    private static func setName(_ name: String) {
        guard let file = fopen("/proc/thread-self/comm", "w") else { return }
        fputs(String(name.prefix(15)), file)
        fclose(file)
    }

    /// Waits until the body has returned. Call it once.
    func join() {
        pthread_join(handle, nil)
    }

    /// Nobody waits for the end of the body. In place of `join`.
    func detach() {
        pthread_detach(handle)
    }

    /// Runs the body on a thread of its own, for a task that waits for it.
    static func run<Value: Sendable>(name: String, _ body: @escaping @Sendable () -> Value) async -> Value {
        await withUnsafeContinuation { continuation in
            WorkerThread(name: name) { continuation.resume(returning: body()) }.detach()
        }
    }
}
