//! The order that the witness saw, and whether it is possible.

use std::collections::{HashMap, HashSet};

use chat_proto::{Name, Text};

use super::{
    replay::{End, Fate, Replay, Seen},
    violation::Violation,
};

/// The order that the witness saw.
#[derive(Debug)]
pub(super) struct Order<'a> {
    pub(super) events: &'a [Seen],
    /// The positions of each event. Joins and leaves may have several.
    pub(super) positions: HashMap<&'a Seen, Vec<usize>>,
    /// The messages that were sent, by sender and text.
    pub(super) sent: HashMap<(Name, &'a Text), Sent>,
}

/// A sent message: its session, its index there, and its fate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    session: usize,
    number: usize,
    fate: Fate,
}

impl<'a> Order<'a> {
    pub(super) fn of(events: &'a [Seen], replays: &'a [Replay], violations: &mut Vec<Violation>) -> Self {
        let mut sent = HashMap::new();
        for (session, replay) in replays.iter().enumerate() {
            for (number, (text, fate)) in replay.said.iter().enumerate() {
                let message = Sent { session, number, fate: *fate };
                if sent.insert((replay.name, text), message).is_some() {
                    violations.push(Violation::Ambiguous { by: replay.name, text: text.clone() });
                }
            }
        }
        let mut positions: HashMap<&Seen, Vec<usize>> = HashMap::new();
        for (at, event) in events.iter().enumerate() {
            positions.entry(event).or_default().push(at);
        }
        let order = Self { events, positions, sent };
        order.check_messages(replays, violations);
        order.check_members(violations);
        order
    }

    /// The violation of a message that this client got, whatever its position.
    pub(super) fn fault_of(&self, by: Name, event: &Seen) -> Option<Violation> {
        let Seen::Said(from, text) = event else { return None };
        match self.sent.get(&(*from, text)) {
            None => Some(Violation::Invented { by, event: event.clone() }),
            Some(Sent { fate: Fate::Refused, .. }) => Some(Violation::RefusedDelivered { by, event: event.clone() }),
            Some(_) => None,
        }
    }

    /// The members after the first `events` events.
    pub(super) fn members(&self, events: usize) -> HashSet<Name> {
        let mut members = HashSet::new();
        for event in &self.events[..events] {
            match event {
                Seen::Joined(name) => members.insert(*name),
                Seen::Left(name) => members.remove(name),
                Seen::Said(..) => true,
            };
        }
        members
    }

    fn check_messages(&self, replays: &[Replay], violations: &mut Vec<Violation>) {
        let Some(witness) = replays.first() else { return };
        let by = witness.name;
        let mut last: HashMap<usize, usize> = HashMap::new();
        let mut seen = HashSet::new();
        for event in self.events {
            let Seen::Said(from, text) = event else { continue };
            violations.extend(self.fault_of(by, event));
            if !seen.insert(event) {
                violations.push(Violation::Duplicate { by, event: event.clone() });
                continue;
            }
            if let Some(sent) = self.sent.get(&(*from, text)) {
                let before = last.insert(sent.session, sent.number);
                if before.is_some_and(|before| before > sent.number) {
                    violations.push(Violation::SenderOrder { event: event.clone() });
                }
            }
        }
        // A witness that was cut off did not see everything, so losses may be reported that are none.
        if witness.end == End::Cut {
            violations.push(Violation::NoWitness { by });
        }
        for replay in replays {
            for (text, _) in replay.said.iter().filter(|(_, fate)| *fate == Fate::Accepted) {
                let event = Seen::Said(replay.name, text.clone());
                if !self.positions.contains_key(&event) {
                    violations.push(Violation::Lost { by, event });
                }
            }
        }
    }

    fn check_members(&self, violations: &mut Vec<Violation>) {
        let mut members = HashSet::new();
        for event in self.events {
            let possible = match event {
                Seen::Joined(name) => members.insert(name.key()),
                Seen::Said(name, _) => members.contains(&name.key()),
                Seen::Left(name) => members.remove(&name.key()),
            };
            if !possible {
                violations.push(Violation::Impossible { event: event.clone() });
            }
        }
    }
}
