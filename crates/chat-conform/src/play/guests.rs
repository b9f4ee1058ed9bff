//! Finds out which guests belong to the case. A plain client never learns its own name, and strangers may be guests
//! too. So each `guest{b}` of a case stands for any guest whose lines agree with all lines that the case expects.

use std::collections::{BTreeMap, BTreeSet};

/// The most guest lines of one connection that are stored. Later ones are ignored. This bounds the memory.
const MAX_SEEN: usize = 20_000;

/// The lines about guests that each connection has received, and those that the case expects.
#[derive(Debug, Default)]
pub(super) struct Guests {
    seen: BTreeMap<char, BTreeMap<String, Vec<Seen>>>,
    expected: BTreeMap<char, Vec<Expected>>,
    count: usize,
}

/// A line about a guest.
#[derive(Clone, Debug)]
struct Seen {
    form: String,
    /// The position of the line among all lines of its connection, and its key in the transcript.
    at: u64,
}

/// What a connection must receive, in this order.
#[derive(Debug)]
enum Expected {
    /// A line about a guest of the case.
    Line { letter: char, form: String },
    /// A line without a guest. It is there, at this position.
    Other { at: u64 },
    /// A roster with these guests of the case, and no other one.
    Roster { at: u64, present: Vec<char>, numbers: BTreeSet<String> },
}

/// A line about a guest of the case that no step expects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Extra {
    /// The connection that has received it.
    pub(super) who: char,
    /// Its position.
    pub(super) at: u64,
    /// The clause about such lines.
    pub(super) about: &'static str,
}

/// How much of what is expected must have arrived.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Arrived {
    /// Nothing may contradict it. The rest may still come.
    SoFar,
    /// All of it. More may follow.
    All,
    /// All of it, and no more lines about a guest of the case.
    Exactly,
}

/// For each letter the number of its guest.
type Assignment = BTreeMap<char, String>;

/// Splits a line about a guest into the guest's number and the line without the number. `None`: no such line.
pub(super) fn split(line: &str) -> Option<(&str, String)> {
    let (verb, rest) = line.split_once(" guest")?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = rest.split_at(digits);
    let is_line = match verb {
        "JOIN" | "LOGOUT" => rest.is_empty(),
        "FROM" => rest.starts_with(" MSG "),
        _ => false,
    };
    (is_line && !number.is_empty()).then(|| (number, format!("{verb}{rest}")))
}

/// Splits an expected line, such as `JOIN guest{b}`, into the letter and the line without the guest.
pub(super) fn split_expected(line: &str) -> Option<(char, String)> {
    let (verb, rest) = line.split_once(" guest{")?;
    let mut chars = rest.chars();
    let letter = chars.next().filter(|_| matches!(verb, "JOIN" | "LOGOUT" | "FROM"))?;
    Some((letter, format!("{verb}{}", chars.as_str().strip_prefix('}')?)))
}

impl Guests {
    /// Records a line about a guest.
    pub(super) fn see(&mut self, who: char, number: &str, form: String, at: u64) {
        self.count += 1;
        if self.count <= MAX_SEEN {
            self.seen.entry(who).or_default().entry(number.to_owned()).or_default().push(Seen { form, at });
        }
    }

    /// Records that `who` must receive a line about the guest `letter` next.
    pub(super) fn expect_line(&mut self, who: char, letter: char, form: String) {
        self.expected.entry(who).or_default().push(Expected::Line { letter, form });
    }

    /// Records that `who` has received an expected line that is about no guest.
    pub(super) fn received_other(&mut self, who: char, at: u64) {
        self.expected.entry(who).or_default().push(Expected::Other { at });
    }

    /// Records that `who` has received a roster with guests of these numbers. It must contain the guests `present`.
    pub(super) fn received_roster(&mut self, who: char, at: u64, present: Vec<char>, numbers: BTreeSet<String>) {
        self.expected.entry(who).or_default().push(Expected::Roster { at, present, numbers });
    }

    /// Whether all expected lines have arrived in their order. Returns the positions at `who` of the lines about guests
    /// of the case.
    pub(super) fn all_arrived(&self, who: char) -> Option<Vec<u64>> {
        let assignment = self.assign(Arrived::All, &[])?;
        let lines = assignment.values().filter_map(|number| self.seen.get(&who)?.get(number));
        Some(lines.flatten().map(|seen| seen.at).collect())
    }

    /// Whether all expected lines can still arrive.
    pub(super) fn can_arrive(&self) -> bool {
        self.assign(Arrived::SoFar, &[]).is_some()
    }

    /// Whether no other lines about the guests of the case have arrived than expected. The guests in `open` may have
    /// left at the end.
    pub(super) fn check_nothing_else(&self, open: &[char]) -> Result<(), Extra> {
        if self.assign(Arrived::Exactly, open).is_some() {
            return Ok(());
        }
        let Some(assignment) = self.assign(Arrived::All, &[]) else { return Ok(()) };
        let extra = |(&letter, number): (&char, &String)| {
            let observers = self.seen.iter().filter_map(|(&who, seen)| Some((who, seen.get(number)?)));
            observers
                .filter_map(|(who, seen)| {
                    let seen = seen.get(self.forms(who, letter).len())?;
                    let about = match &*seen.form {
                        "LOGOUT" if who != letter.to_ascii_uppercase() => "6.4",
                        "JOIN" | "LOGOUT" => "4.6",
                        _ => "5.1",
                    };
                    Some(Extra { who, at: seen.at, about })
                })
                .collect::<Vec<_>>()
        };
        assignment.iter().flat_map(extra).min_by_key(|extra| extra.at).map_or(Ok(()), Err)
    }

    /// The positions at `who` of the `JOIN` lines of guests that do not belong to the case.
    pub(super) fn joins_of_others(&self, who: char) -> Vec<u64> {
        let assignment = self.assign(Arrived::All, &[]).unwrap_or_default();
        let Some(seen) = self.seen.get(&who) else { return Vec::new() };
        let others = seen.iter().filter(|(number, _)| !assignment.values().any(|own| own == *number));
        others.flat_map(|(_, seen)| seen).filter(|seen| seen.form == "JOIN").map(|seen| seen.at).collect()
    }

    /// The line at `who` that most likely stands in place of the last expected one: the next line of the guest that
    /// agrees with most of what was expected of the same guest before.
    pub(super) fn likely_wrong(&self, who: char) -> Option<u64> {
        let Some(Expected::Line { letter, .. }) = self.expected.get(&who)?.last() else { return None };
        let forms = self.forms(who, *letter);
        let agreeing = |seen: &[Seen]| seen.iter().zip(&forms).take_while(|(seen, form)| seen.form == **form).count();
        let best = self.seen.get(&who)?.values().max_by_key(|seen| (agreeing(seen), seen.len()))?;
        (agreeing(best) + 1 == forms.len() || forms.len() == 1).then(|| best.get(agreeing(best)))?.map(|seen| seen.at)
    }

    /// What `who` must receive about the guest `letter`.
    fn forms(&self, who: char, letter: char) -> Vec<&str> {
        let expected = self.expected.get(&who).map(Vec::as_slice).unwrap_or_default();
        let forms = expected.iter().filter_map(|expected| match expected {
            Expected::Line { letter: other, form } if *other == letter => Some(form.as_str()),
            _ => None,
        });
        forms.collect()
    }

    /// Finds guests that agree with what is expected.
    fn assign(&self, arrived: Arrived, open: &[char]) -> Option<Assignment> {
        let mut letters = BTreeSet::new();
        let mut numbers: BTreeSet<&String> = self.seen.values().flat_map(BTreeMap::keys).collect();
        for expected in self.expected.values().flatten() {
            match expected {
                Expected::Line { letter, .. } => drop(letters.insert(*letter)),
                Expected::Roster { present, numbers: listed, .. } => {
                    letters.extend(present);
                    numbers.extend(listed);
                }
                Expected::Other { .. } => {}
            }
        }
        let mut candidates = Vec::new();
        for &letter in &letters {
            let agrees = |number: &&&String| self.agrees(letter, number, arrived, open);
            let mut agreeing: Vec<Option<&String>> =
                numbers.iter().filter(agrees).map(|number| Some(*number)).collect();
            if arrived == Arrived::SoFar {
                // A guest of whom nothing has arrived.
                agreeing.push(None);
            }
            candidates.push((letter, agreeing));
        }
        // The letter with the fewest candidates first.
        candidates.sort_by_key(|(_, agreeing)| agreeing.len());
        self.search(&candidates, &mut Assignment::new(), arrived)
    }

    fn search(
        &self,
        candidates: &[(char, Vec<Option<&String>>)],
        assignment: &mut Assignment,
        arrived: Arrived,
    ) -> Option<Assignment> {
        let Some(((letter, numbers), rest)) = candidates.split_first() else {
            return (arrived == Arrived::SoFar || self.is_in_order(assignment)).then(|| assignment.clone());
        };
        for number in numbers {
            match number {
                Some(number) if assignment.values().any(|taken| taken == *number) => continue,
                Some(number) => drop(assignment.insert(*letter, (*number).clone())),
                None => drop(assignment.remove(letter)),
            }
            if let Some(found) = self.search(rest, assignment, arrived) {
                return Some(found);
            }
            assignment.remove(letter);
        }
        None
    }

    /// Whether the lines about this guest are those that are expected of `letter`, on every connection. A guest receives
    /// no lines about itself.
    fn agrees(&self, letter: char, number: &str, arrived: Arrived, open: &[char]) -> bool {
        let observers: BTreeSet<char> = self.seen.keys().chain(self.expected.keys()).copied().collect();
        observers.into_iter().all(|who| {
            let (forms, none) = (self.forms(who, letter), Vec::new());
            let seen = self.seen.get(&who).and_then(|seen| seen.get(number)).unwrap_or(&none);
            let rest = seen.get(forms.len()..).unwrap_or_default();
            let same = seen.iter().zip(&forms).all(|(seen, form)| seen.form == **form);
            let may_leave = open.contains(&letter) && !forms.contains(&"LOGOUT");
            let no_more = rest.is_empty() || (may_leave && rest.len() == 1 && rest[0].form == "LOGOUT");
            same && (arrived == Arrived::SoFar || seen.len() >= forms.len()) && (arrived != Arrived::Exactly || no_more)
        })
    }

    /// Whether each connection has received what it expects in the expected order.
    fn is_in_order(&self, assignment: &Assignment) -> bool {
        self.expected.iter().all(|(who, expected)| {
            let mut next: BTreeMap<char, usize> = BTreeMap::new();
            let mut before = None;
            expected.iter().all(|expected| {
                let at = match expected {
                    Expected::Line { letter, .. } => {
                        let index = next.entry(*letter).or_default();
                        *index += 1;
                        let seen =
                            assignment.get(letter).and_then(|number| self.seen.get(who)?.get(number)?.get(*index - 1));
                        seen.map(|seen| seen.at)
                    }
                    Expected::Other { at } => Some(*at),
                    Expected::Roster { at, present, numbers } => {
                        let fits =
                            |(letter, number): (&char, &String)| present.contains(letter) == numbers.contains(number);
                        assignment.iter().all(fits).then_some(*at)
                    }
                };
                let in_order = at.is_some() && at > before;
                before = at;
                in_order
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guests with lines that A has received, at the positions 0, 1, 2, ….
    fn received(lines: &[&str]) -> Guests {
        let mut guests = Guests::default();
        for (at, line) in (0..).zip(lines) {
            let (number, form) = split(line).unwrap();
            guests.see('A', number, form, at);
        }
        guests
    }

    fn expect(guests: &mut Guests, who: char, line: &str) {
        let (letter, form) = split_expected(line).unwrap();
        guests.expect_line(who, letter, form);
    }

    #[test]
    fn lines_about_guests_are_split() {
        assert_eq!(split("FROM guest12 MSG a guest7"), Some(("12", "FROM MSG a guest7".to_owned())));
        assert_eq!(split_expected("FROM guest{b} MSG a"), Some(('b', "FROM MSG a".to_owned())));
        for line in ["JOIN guest", "JOIN guest1x", "JOIN bob", "OK", "FROM guest1 hi"] {
            assert_eq!(split(line), None, "{line}");
        }
    }

    #[test]
    fn a_stranger_that_joins_first_is_not_taken_for_the_guest() {
        let mut guests = received(&["JOIN guest5"]);
        expect(&mut guests, 'A', "JOIN guest{b}");
        assert!(guests.all_arrived('A').is_some());
        guests.see('A', "5", "FROM MSG other".to_owned(), 1);
        guests.see('A', "6", "JOIN".to_owned(), 2);
        expect(&mut guests, 'A', "FROM guest{b} MSG now");
        assert!(guests.all_arrived('A').is_none() && guests.can_arrive());
        guests.see('A', "6", "FROM MSG now".to_owned(), 3);
        assert_eq!(guests.all_arrived('A'), Some(vec![2, 3]));
        assert_eq!(guests.check_nothing_else(&['b']), Ok(()));
        guests.see('A', "6", "FROM MSG now".to_owned(), 4);
        assert_eq!(guests.check_nothing_else(&['b']), Err(Extra { who: 'A', at: 4, about: "5.1" }));
    }

    #[test]
    fn two_letters_are_two_guests() {
        let mut guests = received(&["JOIN guest1"]);
        expect(&mut guests, 'A', "JOIN guest{b}");
        expect(&mut guests, 'A', "JOIN guest{c}");
        assert!(guests.all_arrived('A').is_none());
        guests.see('A', "2", "JOIN".to_owned(), 1);
        assert!(guests.all_arrived('A').is_some());
    }

    #[test]
    fn the_order_of_a_connection_counts() {
        let mut guests = received(&["JOIN guest1", "FROM guest1 MSG a"]);
        expect(&mut guests, 'A', "JOIN guest{b}");
        guests.received_other('A', 2);
        expect(&mut guests, 'A', "FROM guest{b} MSG a");
        assert!(guests.all_arrived('A').is_none());
        assert_eq!(guests.likely_wrong('A'), None);
    }

    #[test]
    fn a_guest_receives_nothing_about_itself() {
        let mut guests = received(&["JOIN guest1"]);
        guests.see('B', "1", "JOIN".to_owned(), 0);
        expect(&mut guests, 'A', "JOIN guest{b}");
        assert!(guests.all_arrived('A').is_some());
        assert_eq!(guests.check_nothing_else(&[]), Err(Extra { who: 'B', at: 0, about: "4.6" }));
    }

    #[test]
    fn rosters_hold_the_guests_that_are_there() {
        let mut guests = received(&["JOIN guest1", "JOIN guest2"]);
        expect(&mut guests, 'A', "JOIN guest{b}");
        guests.received_roster('A', 2, vec!['b'], BTreeSet::from(["2".to_owned()]));
        assert_eq!(guests.all_arrived('A'), Some(vec![1]));
    }

    #[test]
    fn a_wrong_line_is_found() {
        let mut guests = received(&["JOIN guest1", "JOIN guest2", "FROM guest2 MSG no"]);
        expect(&mut guests, 'A', "JOIN guest{b}");
        expect(&mut guests, 'A', "FROM guest{b} MSG yes");
        assert_eq!(guests.likely_wrong('A'), Some(2));
    }
}
