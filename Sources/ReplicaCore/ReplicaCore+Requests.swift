import Basics
import Keyspace
import Raft

extension ReplicaCore {
    func submitWrites() {
        guard !newWrites.isEmpty else { return }
        // In place: nobody else has the payloads yet.
        if raft?.role == .leader {
            for index in newWrites.indices { stamp(&newWrites[index].payload) }
        }
        var writes = newWrites
        newWrites = []
        guard divergence == nil else {
            // What they answer would come from the wrong state.
            for write in writes { write.done(.failure(.noLeader)) }
            return
        }
        if !cluster.alarms.isEmpty {
            writes.removeAll { write in
                guard let error = refusal(of: write.payload) else { return false }
                write.done(.failure(error))
                return true
            }
            guard !writes.isEmpty else { return }
        }
        guard let proposal = raft?.propose(writes.map(\.payload)) else {
            for write in writes { write.done(.failure(.noLeader)) }
            return
        }
        switch proposal {
        case .accepted(let first, let term):
            for (position, write) in writes.enumerated() {
                waiting.proposed(write, index: first + UInt64(position), term: term)
            }
        case .notLeader(leader: 0), .transferring:
            waiting.hold(writes)
        case .notLeader(let leader):
            forward(writes, to: leader)
        case .refused:
            for write in writes { write.done(.failure(.tooManyRequests)) }
        }
    }

    /// Notes the time in a command that this leader proposes. It never goes back here; a new
    /// leader's clock may stand before the old one's.
    func stamp(_ payload: inout Bytes) {
        stampedMilliseconds = max(stampedMilliseconds, environment.wallMilliseconds())
        Command.stamp(&payload, milliseconds: stampedMilliseconds)
    }

    private func forward(_ writes: [PendingWrite], to leader: UInt64) {
        guard environment.isUp(leader) else { return waiting.hold(writes) }
        let requests = writes.map { write in
            PeerRequest(
                number: asked.add(.write(write), to: leader), body: .propose(write.payload))
        }
        if Mutant.isOn(.writesAgain) { _ = environment.send(requests, to: leader) }
        if !environment.send(requests, to: leader) {
            for request in requests { _ = asked.take(request.number) }
            waiting.hold(writes)
        }
    }

    func submitReads() {
        guard !newReads.isEmpty else { return }
        let batch = newReads
        newReads = []
        guard raft != nil, isStateKnown else {
            for read in batch { read.done(.failure(.noLeader)) }
            return
        }
        raft?.readIndex(reads.ask(batch))
    }

    func submitQuestions() {
        guard !newQuestions.isEmpty else { return }
        let questions = newQuestions
        newQuestions = []
        for question in questions {
            guard let raft else {
                question.done(.failure(.noLeader))
                continue
            }
            if raft.role == .leader {
                if !answer(question) { newQuestions.append(question) }
            } else if raft.leader != 0 {
                let number = asked.add(.question(question), to: raft.leader)
                let request = PeerRequest(number: number, body: .question(question.question))
                if !environment.send([request], to: raft.leader) {
                    _ = asked.take(number)
                    newQuestions.append(question)
                }
            } else {
                newQuestions.append(question)
            }
        }
    }

    /// As leader. False if it cannot be said yet.
    private func answer(_ question: PendingQuestion) -> Bool {
        switch question.question {
        case .changeMembers(let request):
            beginMemberChange(request, deadline: question.deadline, question.done)
        case .transferLeadership(let id):
            beginTransfer(to: id, deadline: question.deadline, question.done)
        case .leaseKeepAlive, .leaseRemaining: return answerLease(question)
        }
        return true
    }

    /// A follower's requests. The answers leave before the entries that they speak of, on the
    /// same connection.
    func answer(_ requests: [PeerRequest], from peer: UInt64) {
        var answers: [PeerAnswer] = []
        var numbers: [UInt64] = []
        var payloads: [Bytes] = []
        for request in requests {
            switch request.body {
            case .propose(let payload):
                guard !payload.isEmpty else { continue }
                if let error = refusal(of: payload) {
                    answers.append(PeerAnswer(number: request.number, body: .failed(error)))
                    continue
                }
                numbers.append(request.number)
                payloads.append(payload)
            case .question(let question):
                answer(question, number: request.number, from: peer)
            }
        }
        guard !payloads.isEmpty else {
            if !answers.isEmpty { environment.send(answers, to: peer) }
            return
        }
        if raft?.role == .leader { for index in payloads.indices { stamp(&payloads[index]) } }
        switch raft?.propose(payloads) {
        case .accepted(let first, let term):
            for (position, number) in numbers.enumerated() {
                answers.append(
                    PeerAnswer(
                        number: number,
                        body: .proposed(index: first + UInt64(position), term: term)))
            }
        case .refused:
            answers += numbers.map { PeerAnswer(number: $0, body: .failed(.tooManyRequests)) }
        case .notLeader, .transferring, nil:
            answers += numbers.map { PeerAnswer(number: $0, body: .tryAgain) }
        }
        environment.send(answers, to: peer)
    }

    private func answer(_ question: PeerQuestion, number: UInt64, from peer: UInt64) {
        let environment = environment
        let asked = PendingQuestion(
            question: question, deadline: now.advanced(milliseconds: 60_000)
        ) { result in
            let body: PeerAnswer.Body =
                switch result {
                case .success(let value): .value(value)
                case .failure(let error): .failed(error)
                }
            environment.send([PeerAnswer(number: number, body: body)], to: peer)
        }
        if raft?.role == .leader, answer(asked) { return }
        guard isLessorActive else {
            return environment.send([PeerAnswer(number: number, body: .tryAgain)], to: peer)
        }
        newQuestions.append(asked)
    }

    func take(_ answers: [PeerAnswer]) {
        for answer in answers {
            guard let (asked, what) = asked.take(answer.number) else { continue }
            switch (answer.body, what) {
            case (.proposed(let index, let term), .write(let write)):
                if index > keyspace.appliedIndex {
                    waiting.proposed(write, index: index, term: term)
                } else {
                    // The answer came behind what it speaks of: the result is gone.
                    write.done(.failure(.leaderChanged))
                }
            case (.value(let value), .question(let question)):
                question.done(.success(value))
            case (.tryAgain, .write(let write)):
                // Another leads by now, or will in a moment.
                if let raft, raft.leader != 0, raft.leader != asked {
                    newWrites.append(write)
                } else {
                    waiting.hold([write])
                }
            case (.tryAgain, .question(let question)):
                newQuestions.append(question)
            case (.failed(let error), _):
                what.fail(error)
            default:
                what.fail(.leaderChanged)
            }
        }
    }

    func expireRequests() {
        let error = StoreError.timeout
        waiting.expire(now, error)
        asked.expire(now)
        settings.metrics.readIndexesFailed.add(reads.expire(now, error))
        for question in newQuestions where question.deadline <= now {
            question.done(.failure(error))
        }
        newQuestions.removeAll { $0.deadline <= now }
        expireRenewals(error)
        // Held because the connection to the leader was down, or the leader was not ready.
        if raft?.leader != 0 {
            newWrites = waiting.takeHeld() + newWrites
            submitWrites()
        }
        submitQuestions()
    }

    /// The end: everybody gets an answer, those who come later too.
    func submitFailures(_ error: StoreError) {
        resignLeases()
        for write in newWrites { write.done(.failure(error)) }
        for read in newReads { read.done(.failure(error)) }
        for question in newQuestions { question.done(.failure(error)) }
        newWrites = []
        newReads = []
        newQuestions = []
        waiting.failAll(error)
        asked.failAll(error)
        reads.failAll(error)
        memberTask?.done(.failure(error))
        memberTask = nil
        for transfer in transfers { transfer.done(.failure(error)) }
        transfers = []
        environment.refuseInputs(error)
    }
}
