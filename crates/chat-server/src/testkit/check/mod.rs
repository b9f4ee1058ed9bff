//! The judge. It compares all sessions of a run with one order: that of the witness.

mod align;
mod guests;
mod order;
mod replay;
mod violation;

use self::{guests::Guests, order::Order, replay::Replay};
pub use self::{
    replay::Seen,
    violation::{Violation, Violations},
};
use super::Session;

/// The counts of a run without violations.
///
/// ```
/// use chat_server::testkit::{Ask, Session, check};
///
/// let mut ann = Session::new("ann".parse()?);
/// for text in ["hello", "bad words", "on its way"] {
///     ann.asks(Ask::Say(text.parse()?));
/// }
/// for line in ["NAME OK", "WELCOME", "OK", "BAD REQ", "BYE"] {
///     ann.hears(line);
/// }
/// let summary = check(&[ann])?;
/// assert_eq!((summary.accepted, summary.refused, summary.unknown), (1, 1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Summary {
    /// Events in the witness's order: messages, joins and leaves.
    pub events: usize,
    /// Messages answered with `OK`.
    pub accepted: usize,
    /// Messages answered with `BAD REQ`.
    pub refused: usize,
    /// Messages without an answer at the end of their session.
    pub unknown: usize,
}

/// Judges a run. The first session is the witness: a named one that joins before all others and receives everything up
/// to the end. The name of a plain session is the one with which the witness receives its messages. If it has no
/// messages, violations call it `guest0`.
///
/// # Errors
///
/// All violations of the run. These rules are judged:
///
/// * every message that got its `OK` is in the order, and reaches every member (clauses 5.1, 5.5);
/// * no message is delivered twice, invented, or delivered although refused (clauses 3.5, 3.10);
/// * the messages of each session are in the order in which it sent them;
/// * all clients see one order without a gap, from their `WELCOME` or their guest's `JOIN` on, with their own messages at
///   their `OK`s (clauses 4.6, 5.2, 5.4, 5.5);
/// * replies are in the order of the requests (clause 5.3), and a plain session gets no line of named sessions (clause 4.5);
/// * no client joins twice or leaves twice, only members speak, and a roster lists the members at its position (clause 5.4);
/// * a client that gets `BYE` has received everything before it (clauses 3.8, 6.3).
pub fn check(sessions: &[Session]) -> Result<Summary, Violations> {
    let mut violations = Vec::new();
    let Some(witness) = sessions.first() else { return Ok(Summary::default()) };
    let guests = Guests::heard_by(witness);
    let replays = sessions.iter().map(|session| Replay::of(session, guests.who(session), &mut violations));
    let replays: Vec<Replay> = replays.collect();
    let witness = &replays[0];
    let order = Order::of(&witness.view, &replays, &mut violations);
    align::check(&order, &replays, &mut violations);
    if !violations.is_empty() {
        return Err(Violations(violations));
    }
    let count = |fate| replays.iter().flat_map(|replay| &replay.said).filter(|(_, known)| *known == fate).count();
    Ok(Summary {
        events: witness.view.len(),
        accepted: count(replay::Fate::Accepted),
        refused: count(replay::Fate::Refused),
        unknown: count(replay::Fate::Unknown),
    })
}

#[cfg(test)]
mod tests;
