//! One step of a case file: those of Annex B, and what a judge needs beyond them.

use std::time::Duration;

use chat_proto::contract::{self, Action};

use super::{Act, Side};

/// Reads a step. `A joins bob` is three of them.
pub(super) fn read(line: &str, side: Side) -> Result<Vec<(char, Act)>, String> {
    let mut chars = line.chars();
    let who = chars.next().filter(char::is_ascii_uppercase).ok_or_else(|| format!("`{line}` is no step"))?;
    let act = match (side, chars.as_str()) {
        (Side::Server, rest) if rest.starts_with(" joins ") => return Ok(joins(who, &rest[" joins ".len()..])),
        (Side::Client, " login") => Act::Login,
        (Side::Client, " refuse") => Act::Refuse,
        (_, ">RESET") => Act::Reset,
        (_, rest) => {
            if let Some(bytes) = rest.strip_prefix(">each ") {
                Act::SendEach(contract::quoted(bytes)?)
            } else if let Some(order) = rest.strip_prefix("<order ").filter(|_| side == Side::Server) {
                same_order(order)?
            } else if let Some(time) = rest.strip_prefix("<nothing ") {
                Act::Nothing(duration(time)?)
            } else if let Some(text) = rest.strip_prefix("<said ").filter(|_| side == Side::Client) {
                Act::Said(text.to_owned())
            } else if let Some(bytes) = rest.strip_prefix("<not ").filter(|_| side == Side::Client) {
                Act::Never(contract::quoted(bytes)?)
            } else {
                return contract::step(line).and_then(|(who, action)| Ok(vec![(who, of_document(&action)?)]));
            }
        }
    };
    Ok(vec![(who, act)])
}

/// The same step, as `protocole.md` has it.
pub(super) fn of_document(action: &Action) -> Result<Act, String> {
    Ok(match action {
        Action::Send(line) => Act::Send(format!("{line}\r\n").into_bytes()),
        Action::SendRaw(bytes) => Act::Send(bytes.clone()),
        Action::HalfClose => Act::HalfClose,
        Action::Expect(line) => Act::Expect(line.clone()),
        Action::ExpectRaw(bytes) => Act::ExpectRaw(bytes.clone()),
        Action::ExpectEof => Act::ExpectEof,
        other => return Err(format!("{other:?} cannot be played")),
    })
}

fn joins(who: char, name: &str) -> Vec<(char, Act)> {
    let line = |line: &str| (who, Act::Expect(line.to_owned()));
    let connect = Act::Send(format!("PROT 0.1 CONNECT USER {name}\r\n").into_bytes());
    vec![(who, connect), line("NAME OK"), line("WELCOME")]
}

/// So many messages are kept to be compared.
const MOST_MESSAGES: usize = 1_000;
/// No step takes longer.
const LONGEST: Duration = Duration::from_secs(3_600);

/// `90 A B`.
fn same_order(order: &str) -> Result<Act, String> {
    let wanted = || format!("`{order}` is no number of messages, up to {MOST_MESSAGES}, and letters of others");
    let (count, others) = order.split_once(' ').ok_or_else(wanted)?;
    let count = count.parse().ok().filter(|count| (1..=MOST_MESSAGES).contains(count)).ok_or_else(wanted)?;
    let letters = others.split(' ').map(|other| other.chars().next().filter(|_| other.len() == 1));
    Ok(Act::SameOrder { count, others: letters.collect::<Option<_>>().ok_or_else(wanted)? })
}

/// `200ms` or `3s`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wanted = || format!("`{text}` is no time: 200ms, 3s, up to an hour");
    let (number, unit): (_, fn(u64) -> Duration) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), _) => (number, Duration::from_millis),
        (None, Some(number)) => (number, Duration::from_secs),
        (None, None) => return Err(wanted()),
    };
    number.parse().ok().map(unit).filter(|time| *time <= LONGEST).ok_or_else(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn means(line: &str, side: Side, act: Act) {
        assert_eq!(read(line, side).map(|steps| steps.into_iter().map(|(_, act)| act).collect()), Ok(vec![act]));
    }

    #[test]
    fn steps_beyond_the_document() {
        means("A>each \"hi\\n\"", Side::Server, Act::SendEach(b"hi\n".to_vec()));
        means("A<nothing 200ms", Side::Server, Act::Nothing(Duration::from_millis(200)));
        means("C<order 9 A B", Side::Server, Act::SameOrder { count: 9, others: vec!['A', 'B'] });
        means("A>RESET", Side::Server, Act::Reset);
        means("A> hi", Side::Server, Act::Send(b"hi\r\n".to_vec()));
        means("S login", Side::Client, Act::Login);
        means("S<said hi", Side::Client, Act::Said("hi".to_owned()));
        means("O<not \"\\x1B\"", Side::Client, Act::Never(b"\x1b".to_vec()));
        assert_eq!(read("B joins bob", Side::Server).unwrap().len(), 3);
    }

    #[test]
    fn not_steps() {
        for line in [
            "",
            "hello",
            "A",
            "A<nothing soon",
            "A<nothing 2m",
            "S login",
            "A<said hi",
            "A>each hi",
            "A<order 9",
            "A<order 9 AB",
            "A<order 0 A",
            "A<order 18446744073709551615 A",
            "A<nothing 3601s",
            "A<nothing 18446744073709551615s",
        ] {
            assert!(read(line, Side::Server).is_err(), "{line:?}");
        }
    }
}
