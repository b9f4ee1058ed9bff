//! Every session against the order: what it saw must be a piece of it, whole, from its own `JOIN` on.

use std::collections::{BTreeMap, HashSet};

use chat_proto::Name;

use super::{
    order::Order,
    replay::{End, Event, Replay},
    violation::Violation,
};

pub(super) fn check(order: &Order<'_>, replays: &[Replay], violations: &mut Vec<Violation>) {
    let mut by_name: BTreeMap<&str, Vec<&Replay>> = BTreeMap::new();
    for replay in replays.iter().filter(|replay| !replay.view.is_empty()) {
        by_name.entry(replay.name.as_str()).or_default().push(replay);
    }
    for sessions in by_name.values() {
        let joins = order.places.get(&Event::Joined(sessions[0].name)).map_or(&[][..], Vec::as_slice);
        for (replay, is_placed) in sessions.iter().zip(placed(order, sessions, joins)) {
            if !is_placed {
                violations.push(explain(order, replay, joins, replays[0].name));
            }
        }
    }
}

/// Which sessions of a name find a `JOIN` of their own after which all that they saw fits. When a session was is not
/// asked: a client may hear late that it was in.
fn placed(order: &Order<'_>, sessions: &[&Replay], joins: &[usize]) -> Vec<bool> {
    let fitting: Vec<Vec<usize>> = sessions
        .iter()
        .map(|replay| (0..joins.len()).filter(|&at| misfit(order, replay, joins[at]).is_none()).collect())
        .collect();
    // Whose each JOIN is. A session takes one that is free, or whose owner finds another.
    let mut owners = vec![None; joins.len()];
    for session in 0..sessions.len() {
        claim(session, &fitting, &mut owners, &mut vec![false; joins.len()]);
    }
    (0..sessions.len()).map(|session| owners.contains(&Some(session))).collect()
}

fn claim(session: usize, fitting: &[Vec<usize>], owners: &mut [Option<usize>], asked: &mut [bool]) -> bool {
    for &at in &fitting[session] {
        if std::mem::replace(&mut asked[at], true) {
            continue;
        }
        if owners[at].is_none_or(|owner| claim(owner, fitting, owners, asked)) {
            owners[at] = Some(session);
            return true;
        }
    }
    false
}

fn agreed(events: &[Event], view: &[Event]) -> usize {
    events.iter().zip(view).take_while(|(one, other)| one == other).count()
}

/// Why the session fits nowhere: what is wrong where it fits best.
fn explain(order: &Order<'_>, replay: &Replay, joins: &[usize], witness: Name) -> Violation {
    let best = joins.iter().max_by_key(|&&join| agreed(&order.events[join..], &replay.view));
    // If it fits, another session is there: there are more of them than the witness has seen come in.
    let none_left = || Violation::Lost { by: witness, event: Event::Joined(replay.name) };
    best.and_then(|&join| misfit(order, replay, join)).unwrap_or_else(none_left)
}

/// What is wrong with a session if this `JOIN` is its own.
fn misfit(order: &Order<'_>, replay: &Replay, join: usize) -> Option<Violation> {
    let agreed = agreed(&order.events[join..], &replay.view);
    if agreed < replay.view.len() {
        return Some(difference(order, replay, join, agreed));
    }
    wrong_end(order, replay, join + agreed).or_else(|| wrong_roster(order, replay, join))
}

/// Why the view goes on in another way than the order.
fn difference(order: &Order<'_>, replay: &Replay, join: usize, agreed: usize) -> Violation {
    let by = replay.name;
    let (seen, rest) = replay.view.split_at(agreed);
    let got = &rest[0];
    if let Some(fault) = order.fault_of(by, got) {
        return fault;
    }
    if seen.contains(got) && matches!(got, Event::Said(..)) {
        return Violation::Duplicate { by, event: got.clone() };
    }
    let later = &order.events[join + agreed..];
    match later.first() {
        Some(first) if later.contains(got) && rest.contains(first) => {
            Violation::Swapped { by, first: first.clone(), second: got.clone() }
        }
        Some(missed) if later.contains(got) => Violation::Lost { by, event: missed.clone() },
        // It goes on where the order has come to its end, or with what nobody else saw.
        _ => Violation::Unshared { by, event: got.clone() },
    }
}

/// Who was told `BYE` has got everything up to there.
fn wrong_end(order: &Order<'_>, replay: &Replay, end: usize) -> Option<Violation> {
    let by = replay.name;
    match (replay.end, order.events.get(end)) {
        (End::Left, Some(Event::Left(name))) if *name == by => None,
        // The witness itself leaves after the last event that it sees.
        (End::Left | End::Stopped, None) | (End::Cut, _) => None,
        (End::Left | End::Stopped, Some(missed)) => Some(Violation::Lost { by, event: missed.clone() }),
    }
}

fn wrong_roster(order: &Order<'_>, replay: &Replay, join: usize) -> Option<Violation> {
    replay.rosters.iter().find_map(|(seen, roster)| {
        let here = order.members(join + seen);
        let listed: HashSet<_> = roster.iter().copied().collect();
        let exact = listed == here && listed.len() == roster.len();
        (!exact).then(|| Violation::Roster { by: replay.name, listed: roster.clone(), here: sorted(here) })
    })
}

fn sorted(names: HashSet<Name>) -> Vec<Name> {
    let mut names: Vec<_> = names.into_iter().collect();
    names.sort_unstable_by_key(Name::to_string);
    names
}
