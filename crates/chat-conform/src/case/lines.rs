//! Makes cases from Annex C: a client sends one line, the server gives the reply that the line's meaning requires, and
//! an observer receives what the meaning requires, byte for byte.

use chat_proto::contract::{Context, Contract, Level, Meaning, Vector};

use super::{Act, Case, Requirement, Side, Step};

/// One case for each line of Annex C that goes to a server. A line of a named session may give two: after login, and
/// before it.
pub(super) fn cases(contract: &Contract) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for vector in contract.vectors() {
        for mut case in [Script::of(vector), Script::before_login(vector)].into_iter().flatten() {
            // Two long lines may have the same shortened name: append the length.
            if cases.iter().any(|other| other.name == case.name) {
                case.name = format!("{} ({})", case.name, vector.line.len());
            }
            cases.push(case);
        }
    }
    cases
}

/// The steps of a case while they are written. A observes, B sends the line.
struct Script<'a> {
    vector: &'a Vector,
    steps: Vec<Step>,
    clause: String,
    /// The name that A sees B under.
    sender: &'static str,
    level: Level,
}

impl<'a> Script<'a> {
    fn new(vector: &'a Vector, level: Level, clause: &str) -> Self {
        let is_guest = vector.context == Context::Plain || (vector.context == Context::First && level == Level::Plain);
        let sender = if is_guest { "guest{b}" } else { "asker" };
        let mut script = Self { vector, steps: Vec::new(), clause: clause.to_owned(), sender, level };
        if level == Level::Plain {
            script.send('A', b"hello\r\n").expect('A', "OK");
        } else {
            script.send('A', b"PROT 0.1 CONNECT USER ann\r\n").expect('A', "NAME OK").expect('A', "WELCOME");
        }
        script
    }

    /// The case of a first line, or of a line after login. `None`: other cases test it.
    fn of(vector: &'a Vector) -> Option<Case> {
        let is_prot = vector.line == b"PROT" || vector.line.starts_with(b"PROT ");
        let (is_first, is_plain) = (vector.context == Context::First, vector.context == Context::Plain);
        let level = if is_plain || (is_first && !is_prot) { Level::Plain } else { Level::Named };
        let context = match vector.context {
            Context::First => "first",
            Context::Named => "named",
            Context::Plain => "plain",
            _ => return None,
        };
        // After login, `NAME` is no request: the reply does not depend on the name.
        let is_name =
            vector.context == Context::Named && vector.line.starts_with(b"NAME") && is_about_name(&vector.meaning);
        let clause = if is_name { "3.9" } else { clause_of(vector)? };
        let mut script = Script::new(vector, level, clause);
        if vector.context == Context::Plain {
            script.send('B', b"\r\n").expect('A', "JOIN guest{b}");
        } else if !is_first {
            script.send('B', b"PROT 0.1 CONNECT USER asker\r\n").expect('B', "NAME OK").expect('B', "WELCOME");
            script.expect('A', "JOIN asker");
        }
        script.send('B', &[&vector.line[..], b"\r\n"].concat());
        if is_name {
            script.refused("BAD REQ", false);
        } else {
            script.meaning(is_first);
        }
        Some(script.case(format!("line-{context} {}", shortened_line(&vector.line))))
    }

    /// The case of a line after `NAME REQ`. `None`: the line is no `NAME`.
    fn before_login(vector: &'a Vector) -> Option<Case> {
        if vector.context != Context::Named || !is_about_name(&vector.meaning) {
            return None;
        }
        let mut script = Script::new(vector, Level::Named, clause_of(vector)?);
        script.send('B', b"PROT 0.1 CONNECT NEW\r\n").expect('B', "NAME REQ");
        script.send('B', &[&vector.line[..], b"\r\n"].concat());
        script.meaning(false);
        Some(script.case(format!("line-asked {}", shortened_line(&vector.line))))
    }

    /// The reply to the line, and what the observer receives.
    fn meaning(&mut self, is_first: bool) {
        let is_plain = self.sender == "guest{b}";
        let joins_first = is_first && is_plain;
        match &self.vector.meaning {
            Meaning::Breaks { reply, .. } => self.refused(reply.as_deref().unwrap_or_default(), is_first),
            Meaning::Says { word, with } => match (word.as_str(), with.as_slice()) {
                ("connect-new", _) => {
                    self.expect('B', "NAME REQ").send('B', b"NAME asker\r\n").joined("asker");
                }
                ("connect-user" | "name", [name]) => self.joined(name),
                ("message", [text]) => {
                    self.expect('B', "OK");
                    if joins_first {
                        self.expect('A', "JOIN guest{b}");
                    }
                    self.message(text).says_more();
                }
                ("ping", _) => drop(self.expect('B', "PONG").says_more()),
                ("clients", _) => drop(self.expect('B', "LIST CLIENTS 2 ann asker").says_more()),
                ("pong" | "blank", _) => {
                    if joins_first {
                        self.expect('A', "JOIN guest{b}");
                    }
                    self.says_more();
                }
                ("bye", _) => {
                    if joins_first {
                        self.expect('A', "JOIN guest{b}");
                    }
                    self.leaves();
                }
                _ => {}
            },
            _ => {}
        }
    }

    /// The server refuses the line with this reply. Nobody else receives anything.
    fn refused(&mut self, reply: &str, is_first: bool) {
        match reply {
            "NAME FAILURE" => {
                self.expect('B', "NAME FAILURE").expect('B', "NAME REQ");
                self.send('B', b"NAME asker\r\n").joined("asker");
            }
            reply if is_first => {
                self.expect('B', reply).step('B', Act::ExpectEof);
                let fence: (&[u8], _) = if self.level == Level::Plain {
                    (b"still here\r\n", "OK")
                } else {
                    (b"REQ CLIENTS\r\n", "LIST CLIENTS 1 ann")
                };
                self.send('A', fence.0).expect('A', fence.1);
            }
            reply => drop(self.expect('B', reply).says_more()),
        }
    }

    /// B joins under this name.
    fn joined(&mut self, name: &str) {
        self.expect('B', "NAME OK").expect('B', "WELCOME").expect('A', &format!("JOIN {name}"));
        self.send('B', b"MSG now\r\n").expect('B', "OK").expect('A', &format!("FROM {name} MSG now"));
    }

    /// A receives this message of B, byte for byte.
    fn message(&mut self, text: &str) -> &mut Self {
        let line = format!("FROM {} MSG {text}\r\n", self.sender);
        self.step('A', Act::ExpectRaw(line.into_bytes()))
    }

    /// The session of B goes on, and the next line that A receives about B is B's next message.
    fn says_more(&mut self) -> &mut Self {
        let verb = if self.sender == "guest{b}" { "" } else { "MSG " };
        self.send('B', format!("{verb}now\r\n").as_bytes()).expect('B', "OK").message("now");
        self.send('B', b"BYE\r\n").leaves();
        self
    }

    /// B leaves.
    fn leaves(&mut self) {
        let line = format!("LOGOUT {}", self.sender);
        self.expect('B', "BYE").step('B', Act::ExpectEof).expect('A', &line);
    }

    fn send(&mut self, who: char, bytes: &[u8]) -> &mut Self {
        self.step(who, Act::Send(bytes.to_vec()))
    }

    fn expect(&mut self, who: char, line: &str) -> &mut Self {
        self.step(who, Act::Expect(line.to_owned()))
    }

    fn step(&mut self, who: char, act: Act) -> &mut Self {
        self.steps.push(Step { who, act, clause: None, within: None, at: self.vector.at });
        self
    }

    fn case(self, name: String) -> Case {
        Case {
            name,
            side: Side::Server,
            level: self.level,
            requirement: Requirement::Must,
            clauses: vec![self.clause],
            slow: false,
            about: "The reply to a line of Annex C, and what others receive, follow from the line's meaning."
                .to_owned(),
            steps: self.steps,
            place: format!("protocole.md:{}", self.vector.at),
        }
    }
}

/// Whether the line asks for a name, valid or not.
fn is_about_name(meaning: &Meaning) -> bool {
    match meaning {
        Meaning::Says { word, .. } => word == "name",
        Meaning::Breaks { reply, .. } => reply.as_deref() == Some("NAME FAILURE"),
        _ => false,
    }
}

/// The clause that requires the reply to the line. `None` if the meaning is none of a client's line.
fn clause_of(vector: &Vector) -> Option<&str> {
    let is_plain = vector.context == Context::Plain || vector.context == Context::First;
    Some(match &vector.meaning {
        Meaning::Breaks { clause, .. } => clause,
        Meaning::Says { word, with } => match (word.as_str(), with.as_slice()) {
            ("connect-new", _) => "3.1",
            ("name" | "connect-user", [name]) if name.to_ascii_lowercase().starts_with("guest") => "2.7",
            ("connect-user", [name]) if name == "bob" => "3.2",
            ("name" | "connect-user", _) => "1.6",
            ("message", [text]) => clause_of_text(text, vector),
            ("ping" | "pong", _) => "3.7",
            ("clients", _) => "3.6",
            ("blank", _) => "4.2",
            ("bye", _) if is_plain => "4.3",
            ("bye", _) => "3.8",
            _ => return None,
        },
        _ => return None,
    })
}

/// The clause that a message with this text tests.
fn clause_of_text<'a>(text: &str, vector: &Vector) -> &'a str {
    let words = ["BYE", "PING", "MSG", "NAME", "REQ", "PROT", "GET", "PONG"];
    let verb = text.trim().split([' ', '\t']).next().unwrap_or_default().to_ascii_uppercase();
    match vector.context {
        Context::First if verb.starts_with("PROT") || verb == "MSG" || verb == "NAME" || verb == "PING" => "2.3",
        Context::First if text.contains("HTTP/") => "2.4",
        Context::First | Context::Plain if verb == "BYE" => "4.3",
        Context::Plain if words.contains(&verb.as_str()) || text.trim().is_empty() => "4.1",
        Context::First if text.starts_with('@') => "9.2",
        Context::Named if words.contains(&verb.as_str()) => "3.5",
        Context::Named if text.starts_with(' ') => "1.8",
        _ => "1.5",
    }
}

/// The line as part of a case name: escaped, at most 32 bytes, and the length of a longer line.
fn shortened_line(line: &[u8]) -> String {
    const MAX_BYTES: usize = 32;
    let escaped = crate::transcript::visible(&line[..line.len().min(MAX_BYTES)]);
    if line.len() > MAX_BYTES { format!("\"{escaped}\"… {}", line.len()) } else { format!("\"{escaped}\"") }
}
