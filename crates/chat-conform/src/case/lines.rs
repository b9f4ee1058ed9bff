//! Cases out of Annex C: each line of a client, sent to a server, is answered as its meaning says.

use chat_proto::contract::{Context, Contract, Level, Meaning, Vector};

use super::{Act, Case, Requirement, Side, Step};

/// One case for each line that a client may send.
pub(super) fn cases(contract: &Contract) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for vector in contract.vectors() {
        let Some(mut case) = of(vector) else { continue };
        // Lines that look alike when shortened are told apart by their length.
        if cases.iter().any(|other| other.name == case.name) {
            case.name = format!("{} ({})", case.name, vector.line.len());
        }
        cases.push(case);
    }
    cases
}

fn of(vector: &Vector) -> Option<Case> {
    let (context, prefix, level) = match vector.context {
        Context::First if vector.line.starts_with(b"PROT") => ("first", None, Level::Named),
        Context::First => ("first", None, Level::Plain),
        Context::Named => ("named", Some("PROT 0.1 CONNECT USER asker\r\n"), Level::Named),
        Context::Plain => ("plain", Some("\r\n"), Level::Plain),
        _ => return None,
    };
    let answer = answer(vector)?;
    let mut steps = Vec::new();
    let mut step = |act| steps.push(Step { who: 'A', act, clause: None, within: None, at: vector.at });
    if let Some(prefix) = prefix {
        step(Act::Send(prefix.as_bytes().to_vec()));
    }
    if vector.context == Context::Named {
        step(Act::Expect("NAME OK".to_owned()));
        step(Act::Expect("WELCOME".to_owned()));
    }
    step(Act::Send([&vector.line[..], b"\r\n"].concat()));
    for line in answer.lines {
        step(Act::Expect((*line).to_owned()));
    }
    match answer.then {
        Then::Closed => step(Act::ExpectEof),
        // Whatever it is answered, nothing more than that is.
        Then::GoesOn => {
            step(Act::Send(b"BYE\r\n".to_vec()));
            step(Act::Expect("BYE".to_owned()));
            step(Act::ExpectEof);
        }
        Then::NotYetNamed => {}
    }
    Some(Case {
        name: format!("line-{context} {}", shown(&vector.line)),
        side: Side::Server,
        level,
        requirement: Requirement::Must,
        clauses: vec![answer.clause],
        about: "A line of Annex C is answered as its meaning says.".to_owned(),
        steps,
        place: format!("protocole.md:{}", vector.at),
    })
}

struct Answer {
    lines: &'static [&'static str],
    then: Then,
    clause: String,
}

enum Then {
    GoesOn,
    NotYetNamed,
    Closed,
}

/// What a server says to it, how it goes on, and which clause says so.
fn answer(vector: &Vector) -> Option<Answer> {
    let in_named = vector.context == Context::Named;
    let plain = |clause: &'static str, plain_clause: &'static str| if in_named { clause } else { plain_clause };
    let (lines, then, clause): (&'static [_], _, &str) = match &vector.meaning {
        Meaning::Breaks { clause, reply } => match (reply.as_deref(), vector.context) {
            (Some("BAD PROT"), _) => (&["BAD PROT"], Then::Closed, clause),
            (Some("BAD REQ"), Context::First) => (&["BAD REQ"], Then::Closed, clause),
            (Some("BAD REQ"), _) => (&["BAD REQ"], Then::GoesOn, clause),
            (Some("NAME FAILURE"), Context::First) => (&["NAME FAILURE", "NAME REQ"], Then::NotYetNamed, clause),
            // After login a name is not for asking.
            _ => return None,
        },
        Meaning::Says { word, .. } => match word.as_str() {
            "connect-new" => (&["NAME REQ"], Then::NotYetNamed, "3.1"),
            "connect-user" => (&["NAME OK", "WELCOME"], Then::GoesOn, "3.2"),
            "message" => (&["OK"], Then::GoesOn, plain("3.5", "4.1")),
            "ping" => (&["PONG"], Then::GoesOn, "3.7"),
            "pong" => (&[], Then::GoesOn, "3.7"),
            "blank" => (&[], Then::GoesOn, "4.2"),
            "bye" => (&["BYE"], Then::Closed, plain("3.8", "4.3")),
            // A roster depends on who else is there, a name on the login: other cases show these.
            _ => return None,
        },
        _ => return None,
    };
    Some(Answer { lines, then, clause: clause.to_owned() })
}

/// The line as a name: escaped, and not too long.
fn shown(line: &[u8]) -> String {
    const MOST: usize = 32;
    let escaped = crate::transcript::visible(&line[..line.len().min(MOST)]);
    if line.len() > MOST { format!("\"{escaped}\"… {}", line.len()) } else { format!("\"{escaped}\"") }
}
