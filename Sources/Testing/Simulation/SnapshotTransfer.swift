internal import StrakeRaft

/// A snapshot's stream between two members, piece by piece: what a connection of its own is to the server.
struct SnapshotTransfer {
    /// Tells it from earlier ones between the same two.
    var number: UInt64
    var from: Int
    /// The sender's life: with it the stream ends.
    var fromLife: Int
    var to: Int
    var metadata: SnapshotMetadata
    /// Tells whether a stream goes on with an earlier one.
    var name: UInt64

    /// What goes one way or the other.
    enum Step {
        // To the receiver.
        case offer
        case piece([UInt8])
        case end
        /// The connection is gone.
        case broken
        // To the sender.
        case accepted(at: UInt64)
        /// The piece was taken: time for the next one.
        case taken
        case done
        case refused
    }
}

extension World {
    /// Carries a step to its receiver. A connection delays what a network loses; over a link that is cut it breaks, and both
    /// ends find out after a while.
    func carry(_ step: SnapshotTransfer.Step, of transfer: SnapshotTransfer, toSender: Bool) {
        let (from, to) = toSender ? (transfer.to, transfer.from) : (transfer.from, transfer.to)
        if network.isCut(from: from, to: to) || network.isCut(from: to, to: from) {
            return breakOff(transfer)
        }
        let step = spoiling(step, of: transfer)
        schedule(.snapshot(transfer, step, toSender: toSender), after: network.streamDelay())
    }

    private func spoiling(_ step: SnapshotTransfer.Step, of transfer: SnapshotTransfer) -> SnapshotTransfer.Step {
        guard case .piece(var bytes) = step, !bytes.isEmpty, random(0...999) < Int64(damagedPieces) else { return step }
        let place = Int(random(0...Int64(bytes.count - 1)))
        bytes[place] ^= 1 << UInt8(random(0...7))
        damagedTransfers.insert(transfer.number)
        deeds.add("damaged pieces")
        return .piece(bytes)
    }

    func breakOff(_ transfer: SnapshotTransfer) {
        note(transfer.from, .lose, transfer.number, text: "the stream of a snapshot to m\(transfer.to)")
        schedule(.snapshot(transfer, .broken, toSender: true), after: random(100_000...1_000_000))
        schedule(.snapshot(transfer, .broken, toSender: false), after: random(100_000...1_000_000))
    }
}
