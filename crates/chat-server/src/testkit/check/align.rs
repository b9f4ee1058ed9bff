//! Compares every session with the order. A session must see a part of the order that begins with its own `JOIN` and has
//! no gap.

use std::collections::{HashMap, HashSet};

use chat_proto::Name;

use super::{
    guests::Who,
    order::Order,
    replay::{End, Replay, Seen},
    violation::Violation,
};

pub(super) fn check(order: &Order<'_>, replays: &[Replay], violations: &mut Vec<Violation>) {
    let sessions: Vec<&Replay> = replays.iter().filter(|replay| !replay.view.is_empty()).collect();
    for (replay, fits) in sessions.iter().zip(matched(order, &sessions)) {
        if !fits {
            violations.push(explain(order, replay, replays[0].name));
        }
    }
}

/// The positions of the joins that may be this session's own.
fn joins(order: &Order<'_>, replay: &Replay) -> Vec<usize> {
    match replay.who {
        Who::Named(name) | Who::Guest(name) => order.positions.get(&Seen::Joined(name)).cloned().unwrap_or_default(),
        Who::Nameless => {
            let is_guest = |event: &Seen| matches!(event, Seen::Joined(name) if name.is_guest());
            (0..order.events.len()).filter(|&at| is_guest(&order.events[at])).collect()
        }
    }
}

/// For each session, whether it fits: after a `JOIN` of its own, it saw what the order contains. Time does not matter,
/// because a client may receive its `WELCOME` late.
fn matched(order: &Order<'_>, sessions: &[&Replay]) -> Vec<bool> {
    let fitting = |replay: &&Replay| -> Vec<usize> {
        joins(order, replay).into_iter().filter(|&join| misfit(order, replay, join).is_none()).collect()
    };
    let fitting: Vec<_> = sessions.iter().map(fitting).collect();
    // The owner of each `JOIN`. A session takes one that is free, or whose owner finds another (bipartite matching).
    let mut owners = HashMap::new();
    for session in 0..sessions.len() {
        claim(session, &fitting, &mut owners, &mut HashSet::new());
    }
    let matched: HashSet<_> = owners.into_values().collect();
    (0..sessions.len()).map(|session| matched.contains(&session)).collect()
}

/// Gives the session a fitting `JOIN`, if there is one that is free or whose owner can take another. `asked`: the joins that
/// were tried already.
fn claim(
    session: usize,
    fitting: &[Vec<usize>],
    owners: &mut HashMap<usize, usize>,
    asked: &mut HashSet<usize>,
) -> bool {
    fitting[session].iter().any(|&join| {
        let is_mine =
            asked.insert(join) && owners.get(&join).copied().is_none_or(|owner| claim(owner, fitting, owners, asked));
        if is_mine {
            owners.insert(join, session);
        }
        is_mine
    })
}

/// The number of events that agree with the order from this `JOIN` on. The `JOIN` itself counts.
fn agreed(order: &Order<'_>, replay: &Replay, join: usize) -> usize {
    let rest = order.events[join + 1..].iter().zip(&replay.view[1..]);
    1 + rest.take_while(|(event, seen)| event == seen).count()
}

/// Why the session fits nowhere: the violation where it fits best.
fn explain(order: &Order<'_>, replay: &Replay, witness: Name) -> Violation {
    let best = joins(order, replay).into_iter().max_by_key(|&join| agreed(order, replay, join));
    // If there is no misfit, another session owns that `JOIN`: the witness saw fewer joins than there are sessions.
    let missing_join = || Violation::Lost { by: witness, event: Seen::Joined(replay.name) };
    best.and_then(|join| misfit(order, replay, join)).unwrap_or_else(missing_join)
}

/// The violation of a session if this `JOIN` is its own.
fn misfit(order: &Order<'_>, replay: &Replay, join: usize) -> Option<Violation> {
    let agreed = agreed(order, replay, join);
    if agreed < replay.view.len() {
        return Some(difference(order, replay, join, agreed));
    }
    wrong_end(order, replay, join, join + agreed).or_else(|| wrong_roster(order, replay, join))
}

/// Why the view differs from the order here.
fn difference(order: &Order<'_>, replay: &Replay, join: usize, agreed: usize) -> Violation {
    let by = replay.name;
    let (seen, rest) = replay.view.split_at(agreed);
    let got = &rest[0];
    if let Some(fault) = order.fault_of(by, got) {
        return fault;
    }
    if seen.contains(got) && matches!(got, Seen::Said(..)) {
        return Violation::Duplicate { by, event: got.clone() };
    }
    let later = &order.events[join + agreed..];
    match later.first() {
        Some(first) if later.contains(got) && rest.contains(first) => {
            Violation::Swapped { by, first: first.clone(), second: got.clone() }
        }
        Some(missed) if later.contains(got) => Violation::Lost { by, event: missed.clone() },
        // The order has ended here, or no other client saw this event.
        _ => Violation::Unshared { by, event: got.clone() },
    }
}

/// A client that got `BYE` must have seen everything before it.
fn wrong_end(order: &Order<'_>, replay: &Replay, join: usize, end: usize) -> Option<Violation> {
    let by = replay.name;
    match (replay.end, order.events.get(end)) {
        (End::Left, Some(Seen::Left(name))) if order.events[join] == Seen::Joined(*name) => None,
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
