/// What a replica may have acknowledged and does not have any more, because its log was damaged.
///
/// Its acknowledgements may have committed these entries. So until it has them again it does not
/// stand for election, and votes only for a candidate whose log reaches as far as its own once did
/// (protocol-aware recovery: Alagappan and others, FAST 2018).
package enum LostTail: Sendable, Hashable {
    /// The log reached to this entry.
    case upTo(term: UInt64, index: UInt64)
    /// How far the log reached is lost as well: no vote at all.
    case unknown

    /// What is lost after both.
    package func merged(with other: LostTail?) -> LostTail {
        guard case .upTo(let term, let index) = self else { return .unknown }
        switch other {
        case nil: return self
        case .unknown: return .unknown
        case .upTo(let otherTerm, let otherIndex):
            return (otherTerm, otherIndex) > (term, index)
                ? .upTo(term: otherTerm, index: otherIndex) : self
        }
    }
}
