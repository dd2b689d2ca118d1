package import Basics

/// A request with its whole body, as the asynchronous adapter hands it up.
package struct HTTPRequest: Sendable {
    package var head: HTTPRequestHead
    package var body: Bytes
    /// The body was over the limit: it is not here, and the answer should be 413.
    package var isTooLarge: Bool

    package init(head: HTTPRequestHead, body: Bytes = [], isTooLarge: Bool = false) {
        self.head = head
        self.body = body
        self.isTooLarge = isTooLarge
    }
}
