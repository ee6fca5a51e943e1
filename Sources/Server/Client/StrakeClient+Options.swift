public import NIOCore

extension StrakeClient {
    /// How a client connects and how long it waits. The defaults are clientv3's where it has one.
    public struct Options: Sendable {
        /// How long connecting to one member may take, until it has sent its first bytes. At least a millisecond.
        public var dialTimeout: Duration = .seconds(2)
        /// How long a call may take in all, tries and pauses included; nil is without end. Not of watches, keep-alives,
        /// snapshots, locks and campaigns, which wait on purpose.
        public var requestTimeout: Duration?
        /// How long a connection with open calls may be silent before the member is asked for a sign of life; nil never
        /// asks. etcd's servers end connections that ask more often than every 5 s.
        public var keepAliveTime: Duration? = .seconds(10)
        /// How long the sign of life may take before the connection is given up, and its calls fail as unavailable.
        public var keepAliveTimeout: Duration = .seconds(5)
        /// Tries of one call in all, at least 1.
        public var maxUnaryTries = 100
        /// The pause after a majority of the endpoints was tried in vain, give or take a tenth.
        public var backoffWaitBetween: Duration = .milliseconds(25)
        /// Longest request sent, in bytes; a longer one fails with `resourceExhausted` before it is sent.
        public var maxCallSendBytes = 2 << 20
        /// Longest answer taken, in bytes; a longer one fails with `resourceExhausted`.
        public var maxCallReceiveBytes = Int(Int32.max)
        /// Bytes of a stream (a watch, a snapshot) that a server may send ahead of what was taken, at least 65,535, on top
        /// of the MiB that is buffered.
        public var streamWindowBytes = 1 << 20
        /// Says `hasleader` with every call: a member without a leader fails it at once, and ends open watches, which then
        /// go on at another one.
        public var requiresLeader = false
        /// How connections to `https` and `unixs` endpoints are protected, and those to endpoints without a scheme, which are
        /// plain where this is nil.
        public var security: Security?
        /// Who asks, where the cluster has authentication enabled. A token is got for him with the first call, and another
        /// one when that is refused.
        public var credentials: Credentials?
        /// Where connections run; nil is NIO's shared group. It has to outlive the client.
        public var eventLoopGroup: (any EventLoopGroup)?
        /// Told what the client does, on whatever thread does it.
        package var trace: (@Sendable (ClientEvent) -> Void)?

        public init() {}
    }
}
