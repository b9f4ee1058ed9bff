//! Reads one step of a case file: the steps of Annex B, and those that only case files have.

use chat_proto::contract::{self, Action};

use super::{Act, Side, Wait};

/// Reads a line with a step. The line `A joins bob` becomes three steps.
pub(super) fn read(line: &str, side: Side) -> Result<Vec<(char, Act)>, String> {
    let mut chars = line.chars();
    let who = chars.next().filter(char::is_ascii_uppercase).ok_or_else(|| format!("`{line}` is not a step"))?;
    let act = match (side, chars.as_str()) {
        (Side::Server, rest) if rest.starts_with(" joins ") => return Ok(joins(who, &rest[" joins ".len()..])),
        (Side::Server, " narrow") => Act::Narrow,
        (Side::Server, "<FIN") => Act::ExpectCleanEof,
        (Side::Client, " login") => Act::Login,
        (Side::Client, " refuse") => Act::Refuse,
        (_, ">RESET") => Act::Reset,
        (_, rest) => {
            if let Some(bytes) = rest.strip_prefix(">each ") {
                Act::SendEach(contract::quoted(bytes)?)
            } else if let Some(order) = rest.strip_prefix("<order ").filter(|_| side == Side::Server) {
                same_order(order)?
            } else if let Some(time) = rest.strip_prefix("<nothing ") {
                Act::ExpectNothing(Wait::read(time)?)
            } else if let Some(numbered) = rest.strip_prefix(">numbered ").filter(|_| side == Side::Server) {
                let (count, length, _) = numbered_messages(numbered)?;
                Act::SendNumbered { count, length }
            } else if let Some(numbered) = rest.strip_prefix("<numbered ").filter(|_| side == Side::Server) {
                let (count, length, from) = numbered_messages(numbered)?;
                Act::ExpectNumbered { count, length, from: from.to_owned() }
            } else if let Some(time) = rest.strip_prefix(">trickle ").filter(|_| side == Side::Server) {
                Act::Trickle(Wait::read(time)?)
            } else if let Some(time) = rest.strip_prefix("<alone ").filter(|_| side == Side::Server) {
                Act::ExpectAlone(Wait::read(time)?)
            } else if let Some(time) = rest.strip_prefix("<open ").filter(|_| side == Side::Client) {
                Act::ExpectOpen(Wait::read(time)?)
            } else if let Some(time) = rest.strip_prefix(" again ").filter(|_| side == Side::Client) {
                Act::Again(Wait::read(time)?)
            } else if let Some(times) = rest.strip_prefix("<times ").filter(|_| side == Side::Client) {
                let (count, bytes) = times.split_once(' ').unwrap_or((times, ""));
                let count = count.parse().map_err(|_| format!("`{count}` is not a number of times"))?;
                Act::ShownTimes { count, bytes: contract::quoted(bytes)? }
            } else if let Some(size) = rest.strip_prefix(">many ").filter(|_| side == Side::Client) {
                Act::SendMany(size.parse().map_err(|_| format!("`{size}` is not a number of MiB"))?)
            } else if let Some(size) = rest.strip_prefix("<memory ").filter(|_| side == Side::Client) {
                Act::Memory(size.parse().map_err(|_| format!("`{size}` is not a number of MiB"))?)
            } else if let Some(text) = rest.strip_prefix("<said ").filter(|_| side == Side::Client) {
                Act::ExpectMessage(match text.strip_prefix("raw ") {
                    Some(raw) => {
                        String::from_utf8(contract::quoted(raw)?).map_err(|_| "a message is UTF-8".to_owned())?
                    }
                    None => text.to_owned(),
                })
            } else if let Some(bytes) = rest.strip_prefix("<not ").filter(|_| side == Side::Client) {
                Act::NotShown(contract::quoted(bytes)?)
            } else {
                return contract::step(line).and_then(|(who, action)| Ok(vec![(who, from_contract(&action)?)]));
            }
        }
    };
    Ok(vec![(who, act)])
}

/// Converts a step of `protocole.md`.
pub(super) fn from_contract(action: &Action) -> Result<Act, String> {
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

/// The steps of a named login.
fn joins(who: char, name: &str) -> Vec<(char, Act)> {
    let line = |line: &str| (who, Act::Expect(line.to_owned()));
    let connect = Act::Send(format!("PROT 0.1 CONNECT USER {name}\r\n").into_bytes());
    vec![(who, connect), line("NAME OK"), line("WELCOME")]
}

/// The most messages that `order` compares. This bounds the memory.
const MAX_MESSAGES: usize = 1_000;

/// Reads `90 A B`, the arguments of `order`.
fn same_order(order: &str) -> Result<Act, String> {
    let malformed =
        || format!("`{order}` is not a number of messages, 1 to {MAX_MESSAGES}, and letters of connections");
    let (count, others) = order.split_once(' ').ok_or_else(malformed)?;
    let count = count.parse().ok().filter(|count| (1..=MAX_MESSAGES).contains(count)).ok_or_else(malformed)?;
    let letters = others.split(' ').map(|other| other.chars().next().filter(|_| other.len() == 1));
    Ok(Act::SameOrder { count, others: letters.collect::<Option<_>>().ok_or_else(malformed)? })
}

/// Reads `100 1990 ann`: a number of messages, their characters, and for an expectation the sender.
fn numbered_messages(text: &str) -> Result<(usize, usize, &str), String> {
    let malformed = || {
        format!(
            "`{text}` is not a number of messages, 1 to {MAX_MESSAGES}, and of characters, 5 to {}",
            chat_proto::MAX_TEXT
        )
    };
    let mut words = text.split(' ');
    let mut number = |max: usize| words.next()?.parse().ok().filter(|number| (5..=max).contains(number));
    let (count, length) = (number(MAX_MESSAGES), number(chat_proto::MAX_TEXT));
    let (count, length) = count.zip(length).ok_or_else(malformed)?;
    Ok((count, length, words.next().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads_as(line: &str, side: Side, act: Act) {
        assert_eq!(read(line, side).map(|steps| steps.into_iter().map(|(_, act)| act).collect()), Ok(vec![act]));
    }

    #[test]
    fn steps_of_case_files_are_read() {
        reads_as("A>each \"hi\\n\"", Side::Server, Act::SendEach(b"hi\n".to_vec()));
        reads_as("A<nothing 200ms", Side::Server, Act::ExpectNothing(Wait::read("200ms").unwrap()));
        reads_as("A<alone 50ms", Side::Server, Act::ExpectAlone(Wait::read("50ms").unwrap()));
        reads_as("A<FIN", Side::Server, Act::ExpectCleanEof);
        reads_as("A>trickle 3s", Side::Server, Act::Trickle(Wait::read("3s").unwrap()));
        reads_as("A narrow", Side::Server, Act::Narrow);
        reads_as("A>numbered 9 100", Side::Server, Act::SendNumbered { count: 9, length: 100 });
        let from = "ann".to_owned();
        reads_as("B<numbered 9 100 ann", Side::Server, Act::ExpectNumbered { count: 9, length: 100, from });
        reads_as("O<times 2 \"a\"", Side::Client, Act::ShownTimes { count: 2, bytes: b"a".to_vec() });
        reads_as("S<said raw \"a\"*2", Side::Client, Act::ExpectMessage("aa".to_owned()));
        reads_as("O<memory 64", Side::Client, Act::Memory(64));
        reads_as("S>many 64", Side::Client, Act::SendMany(64));
        reads_as("S<open 1s", Side::Client, Act::ExpectOpen(Wait::read("1s").unwrap()));
        reads_as("S again 1s", Side::Client, Act::Again(Wait::read("1s").unwrap()));
        reads_as("C<order 9 A B", Side::Server, Act::SameOrder { count: 9, others: vec!['A', 'B'] });
        reads_as("A>RESET", Side::Server, Act::Reset);
        reads_as("A> hi", Side::Server, Act::Send(b"hi\r\n".to_vec()));
        reads_as("S login", Side::Client, Act::Login);
        reads_as("S<said hi", Side::Client, Act::ExpectMessage("hi".to_owned()));
        reads_as("O<not \"\\x1B\"", Side::Client, Act::NotShown(b"\x1b".to_vec()));
        assert_eq!(read("B joins bob", Side::Server).unwrap().len(), 3);
    }

    #[test]
    fn malformed_steps_are_refused() {
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
            "A>numbered 9",
            "A>numbered 9 3000",
            "A>numbered 100000 9",
            "S again 1s",
        ] {
            assert!(read(line, Side::Server).is_err(), "{line:?}");
        }
    }
}
