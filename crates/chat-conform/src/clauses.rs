//! The embedded `protocole.md`: looks up clauses, and finds the clause that a line or a step is about.

use std::sync::LazyLock;

use chat_proto::contract::{Clause, Contract};

use crate::case::Act;

static CONTRACT: LazyLock<Contract> = LazyLock::new(|| {
    let document = include_str!(concat!(env!("OUT_DIR"), "/protocole.md"));
    Contract::parse(document).expect("the document is tested with the crate that reads it")
});

/// The parsed `protocole.md`.
pub fn contract() -> &'static Contract {
    &CONTRACT
}

/// The clause with this number, such as `5.1`.
pub fn get(number: &str) -> Option<&'static Clause> {
    contract().clause(number)
}

/// The first paragraph of the clause, on one line. Empty if there is no such clause.
pub fn asks(number: &str) -> String {
    let Some(clause) = get(number) else { return String::new() };
    let paragraph = clause.text.split("\n\n").next().unwrap_or_default();
    paragraph.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The clause that defines when a server sends this line.
pub fn of_server_line(line: &str) -> &'static str {
    match line.split(' ').next().unwrap_or_default() {
        "NAME" if line == "NAME FAILURE" => "3.3",
        "NAME" if line == "NAME REQ" => "3.1",
        "NAME" | "JOIN" => "3.2",
        "WELCOME" => "5.4",
        "OK" | "FROM" => "5.1",
        "BAD" if line == "BAD PROT" => "3.1",
        "BAD" => "3.9",
        "LIST" => "3.6",
        "LOGOUT" => "3.8",
        "NOTICE" => "7.8",
        "PING" => "6.1",
        "PONG" => "3.7",
        "BYE" => "6.3",
        _ => "7.1",
    }
}

/// The clause among `candidates` that a step of this kind most likely tests.
pub(crate) fn likely_clause(act: &Act, candidates: &[String]) -> Option<String> {
    let likely: &[&str] = match act {
        Act::ExpectEof => &["1.4", "2.4", "3.1", "3.3", "3.4", "3.8", "4.3", "6.4", "9.3"],
        Act::Expect(line) => match line.split(' ').next().unwrap_or_default() {
            "OK" => &["5.2", "5.1", "3.5", "4.1"],
            "FROM" => &["5.2", "1.5", "1.8", "5.1", "3.5", "4.1"],
            "JOIN" => &["1.6", "3.2", "4.6"],
            "LOGOUT" => &["3.8", "6.4", "4.6"],
            "LIST" => &["3.6"],
            "PONG" => &["3.7", "5.3"],
            "BYE" => &["3.8", "4.3"],
            "WELCOME" => &["3.2"],
            "NAME" => &["2.7", "1.6", "3.3", "3.2", "3.1"],
            _ => &[],
        },
        _ => &[],
    };
    likely.iter().find(|likely| candidates.iter().any(|candidate| candidate == *likely)).map(ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_clause_is_one_line() {
        assert!(asks("1.7").starts_with("An unterminated last line"));
        assert!(!asks("8.1").contains('\n') && asks("99.9").is_empty());
    }

    #[test]
    fn every_server_line_has_a_clause() {
        for line in ["NAME REQ", "NAME OK", "NAME FAILURE", "WELCOME", "OK", "BAD REQ", "BAD PROT", "LIST CLIENTS 1 a"]
        {
            assert!(get(of_server_line(line)).is_some(), "{line}");
        }
        for line in ["FROM a MSG b", "JOIN a", "LOGOUT a", "NOTICE a", "PING", "PONG", "BYE", "else"] {
            assert!(get(of_server_line(line)).is_some(), "{line}");
        }
    }
}
