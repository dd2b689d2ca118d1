import Basics

/// A few threads for work that may block on the disk or page faults: reads of the keyspace.
final class WorkerPool: Sendable {
    private let mailbox: Mailbox<(@Sendable () -> Void)?>
    private let threads: [OSThread]

    init(name: String, threads count: Int, limit: Int) {
        let mailbox = Mailbox<(@Sendable () -> Void)?>(limit: limit)
        self.mailbox = mailbox
        threads = (0..<count).map { number in
            OSThread.start("\(name)-\(number)", .reads) {
                while let work = mailbox.takeOne() { work() }
            }
        }
    }

    /// False when too much waits already.
    func run(_ work: @escaping @Sendable () -> Void) -> Bool {
        mailbox.send(work)
    }

    /// Ends the threads after the work that waits.
    func stop() {
        for _ in threads { mailbox.sendAlways(nil) }
        for thread in threads { thread.join() }
    }
}
