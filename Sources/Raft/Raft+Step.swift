import Basics

extension Raft {
    /// Takes a message of another member.
    package mutating func step(_ message: Message) {
        precondition(message.to == id, "message for \(message.to) at \(id)")
        guard message.from != id, admit(message) else { return }
        switch message.body {
        case .preVote(let index, let logTerm):
            answerPreVote(message, lastIndex: index, lastTerm: logTerm)
        case .vote(let index, let logTerm, let isTransfer):
            answerVote(message, lastIndex: index, lastTerm: logTerm, isTransfer: isTransfer)
        case .preVoteResponse(let isGranted):
            guard role == .preCandidate, !isGranted || message.term == term + 1 else { return }
            countBallot(of: message.from, isGranted: isGranted)
        case .voteResponse(let isGranted):
            guard role == .candidate else { return }
            countBallot(of: message.from, isGranted: isGranted)
        case .append, .heartbeat, .installSnapshot, .timeoutNow, .readIndexResponse:
            stepFollower(message)
        case .appended, .appendRejected, .heartbeatResponse, .readIndex:
            stepLeader(message)
        }
    }

    /// Compares terms, and follows a newer one. Returns whether the message is still of interest.
    private mutating func admit(_ message: Message) -> Bool {
        if message.term < term { return admitOlder(message) }
        guard message.term > term else { return true }
        switch message.body {
        case .preVote:
            return !isInLease
        case .vote(_, _, let isTransfer):
            guard isTransfer || !isInLease else { return false }
            becomeFollower(term: message.term, leader: 0)
        case .preVoteResponse(granted: true):
            break
        case .append, .heartbeat:
            becomeFollower(term: message.term, leader: message.from)
        default:
            becomeFollower(term: message.term, leader: 0)
        }
        return true
    }

    private mutating func admitOlder(_ message: Message) -> Bool {
        switch message.body {
        case .append, .heartbeat:
            // The answer's term makes a leader step down that we cannot follow any more.
            send(.appendRejected(index: 0, hintIndex: 0, hintTerm: 0), to: message.from)
            return false
        case .preVote:
            send(.preVoteResponse(granted: false), to: message.from)
            return false
        case .installSnapshot:
            // What is in a snapshot is committed, whoever sent it.
            return true
        default:
            return false
        }
    }

    private mutating func answerPreVote(_ message: Message, lastIndex: UInt64, lastTerm: UInt64) {
        let mayVote =
            !isBlank && (message.term > term || vote == message.from || (vote == 0 && leader == 0))
        let isGranted = mayVote && isUpToDate(lastIndex: lastIndex, lastTerm: lastTerm)
        output.messages.append(
            Message(
                from: id, to: message.from, term: isGranted ? message.term : term,
                body: .preVoteResponse(granted: isGranted)))
    }

    private mutating func answerVote(
        _ message: Message, lastIndex: UInt64, lastTerm: UInt64, isTransfer: Bool
    ) {
        let mayVote =
            !isBlank && (isTransfer || !keepsVote)
            && (vote == message.from || (vote == 0 && leader == 0) || Mutant.isOn(.votesTwice))
        guard mayVote, isUpToDate(lastIndex: lastIndex, lastTerm: lastTerm) else {
            send(.voteResponse(granted: false), to: message.from)
            return
        }
        vote = message.from
        electionElapsed = 0
        if Mutant.isOn(.votesUnsynced) {
            return send(.voteResponse(granted: true), to: message.from)
        }
        sendAfterPersist(.voteResponse(granted: true), to: message.from)
    }
}
