/// Somebody outside the cluster who asks for something and checks what comes back.
protocol SimulatedClient: AnyObject {
    /// Nothing is left that it waits for, once it was told that the storm is over.
    var isDone: Bool { get }
    /// The time has come for what it planned.
    func turn()
    func receive(_ answer: ClientAnswer)
    /// No answer has come in time.
    func losePatience(with request: UInt64)
    func receive(_ message: WatchMessage, on stream: Int)
    /// Nothing fails any more: it does a last few things.
    func stormIsOver()
}

extension SimulatedClient {
    func receive(_ message: WatchMessage, on stream: Int) {}
}

extension World {
    /// Sends a request on its way.
    ///
    /// - Parameter patience: Microseconds after which the client is told that it has waited long enough.
    func submit(_ body: ClientRequest.Body, of client: Int, to member: Int, patience: Int64) -> UInt64 {
        let request = ClientRequest(client: client, number: nextRequest(), body: body)
        note(member, .request, request.number, text: "\(request.number) of client \(client): \(body.brief)")
        schedule(.request(request, at: member), after: network.clientDelay())
        schedule(.patience(client: client, request: request.number), after: patience)
        return request.number
    }
}
