//! Makes cases from Annex C: a case sends one line to the server, and expects the reply that the line's meaning
//! requires.

use chat_proto::contract::{Context, Contract, Level, Meaning, Vector};

use super::{Act, Case, Requirement, Side, Step};

/// One case for each line of Annex C that goes to a server.
pub(super) fn cases(contract: &Contract) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for vector in contract.vectors() {
        let Some(mut case) = case_of(vector) else { continue };
        // Two long lines may have the same shortened name: append the length.
        if cases.iter().any(|other| other.name == case.name) {
            case.name = format!("{} ({})", case.name, vector.line.len());
        }
        cases.push(case);
    }
    cases
}

/// `None` if the line has no reply that depends on this line alone.
fn case_of(vector: &Vector) -> Option<Case> {
    let (context, prefix, level) = match vector.context {
        Context::First if vector.line.starts_with(b"PROT") => ("first", None, Level::Named),
        Context::First => ("first", None, Level::Plain),
        Context::Named => ("named", Some("PROT 0.1 CONNECT USER asker\r\n"), Level::Named),
        Context::Plain => ("plain", Some("\r\n"), Level::Plain),
        _ => return None,
    };
    let reply = reply_to(vector)?;
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
    for line in reply.lines {
        step(Act::Expect((*line).to_owned()));
    }
    match reply.then {
        Then::Closed => step(Act::ExpectEof),
        // The `BYE` must be the next line: a second reply fails the case.
        Then::Continues => {
            step(Act::Send(b"BYE\r\n".to_vec()));
            step(Act::Expect("BYE".to_owned()));
            step(Act::ExpectEof);
        }
        Then::AwaitsName => {}
    }
    Some(Case {
        name: format!("line-{context} {}", shortened_line(&vector.line)),
        side: Side::Server,
        level,
        requirement: Requirement::Must,
        clauses: vec![reply.clause],
        about: "The reply to a line of Annex C follows from the line's meaning.".to_owned(),
        steps,
        place: format!("protocole.md:{}", vector.at),
    })
}

/// What the server must do after the line.
struct Reply {
    lines: &'static [&'static str],
    then: Then,
    /// The clause that requires the reply.
    clause: String,
}

/// The state of the connection after the reply.
enum Then {
    /// The session goes on.
    Continues,
    /// The server waits for a name.
    AwaitsName,
    /// The server closes the connection.
    Closed,
}

/// The reply that the meaning of the line requires. `None` if other cases test this line.
fn reply_to(vector: &Vector) -> Option<Reply> {
    let is_named = vector.context == Context::Named;
    let by_kind = |named_clause: &'static str, plain_clause| if is_named { named_clause } else { plain_clause };
    let (lines, then, clause): (&'static [_], _, &str) = match &vector.meaning {
        Meaning::Breaks { clause, reply } => match (reply.as_deref(), vector.context) {
            (Some("BAD PROT"), _) => (&["BAD PROT"], Then::Closed, clause),
            (Some("BAD REQ"), Context::First) => (&["BAD REQ"], Then::Closed, clause),
            (Some("BAD REQ"), _) => (&["BAD REQ"], Then::Continues, clause),
            (Some("NAME FAILURE"), Context::First) => (&["NAME FAILURE", "NAME REQ"], Then::AwaitsName, clause),
            // `NAME FAILURE` is a reply during login only.
            _ => return None,
        },
        Meaning::Says { word, .. } => match word.as_str() {
            "connect-new" => (&["NAME REQ"], Then::AwaitsName, "3.1"),
            "connect-user" => (&["NAME OK", "WELCOME"], Then::Continues, "3.2"),
            "message" => (&["OK"], Then::Continues, by_kind("3.5", "4.1")),
            "ping" => (&["PONG"], Then::Continues, "3.7"),
            "pong" => (&[], Then::Continues, "3.7"),
            "blank" => (&[], Then::Continues, "4.2"),
            "bye" => (&["BYE"], Then::Closed, by_kind("3.8", "4.3")),
            // The reply depends on more than this line, such as on who is in the room. Other cases test these.
            _ => return None,
        },
        _ => return None,
    };
    Some(Reply { lines, then, clause: clause.to_owned() })
}

/// The line as part of a case name: escaped, at most 32 bytes, and the length of a longer line.
fn shortened_line(line: &[u8]) -> String {
    const MAX_BYTES: usize = 32;
    let escaped = crate::transcript::visible(&line[..line.len().min(MAX_BYTES)]);
    if line.len() > MAX_BYTES { format!("\"{escaped}\"… {}", line.len()) } else { format!("\"{escaped}\"") }
}
