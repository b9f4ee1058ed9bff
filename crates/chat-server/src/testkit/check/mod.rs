//! The judge: all sessions of a run against one order, which is that of the witness.

mod align;
mod guests;
mod order;
mod replay;
mod violation;

use self::{guests::Guests, order::Order, replay::Replay};
pub use self::{
    replay::Event,
    violation::{Violation, Violations},
};
use super::Session;

/// What a run without violations consisted of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Verdict {
    /// Events in the witness's order: messages, joins and leaves.
    pub events: usize,
    /// Messages answered with `OK`.
    pub accepted: usize,
    /// Messages answered with `BAD REQ`.
    pub refused: usize,
    /// Messages whose answer has not come before their session ended.
    pub unknown: usize,
}

/// Judges a run. The first session is the witness: a named one that has joined before all others, and hears everything to the
/// end. A plain session is known by the name under which the witness hears it; in what is found it is `guest0` if there is none.
///
/// # Errors
///
/// All that the run violates. What is judged:
///
/// * every message that got its `OK` is in the order, and at every client that was there (clauses 5.1, 5.5);
/// * none is there twice, none that nobody sent, none that was refused (clauses 3.5, 3.10);
/// * the messages of each session are in the order in which it sent them;
/// * everybody sees one order, its own messages in it where their `OK`s stand, from its `WELCOME` or its guest's `JOIN` on and
///   without a hole (clauses 4.6, 5.2, 5.4, 5.5);
/// * replies are in the order of the requests (clause 5.3), and a plain session gets what is for it only (clause 4.5);
/// * nobody joins twice or leaves twice, only who is there speaks, and a roster is who is there at its place (clause 5.4);
/// * who is told `BYE` has heard everything up to it (clauses 3.8, 6.3).
pub fn check(sessions: &[Session]) -> Result<Verdict, Violations> {
    let mut violations = Vec::new();
    let Some(witness) = sessions.first() else { return Ok(Verdict::default()) };
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
    Ok(Verdict {
        events: witness.view.len(),
        accepted: count(replay::Fate::Accepted),
        refused: count(replay::Fate::Refused),
        unknown: count(replay::Fate::Unknown),
    })
}

#[cfg(test)]
mod tests;
