//! Annex B: dialogues that a program can play against a server.

use std::{fmt, str::FromStr};

use super::{Block, ContractError, NotationError, is_clause_number, quoted};

/// A transcript between a server and one or more clients.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Dialogue {
    /// Its name, in kebab case.
    pub name: String,
    /// The level that it tests.
    pub level: Level,
    /// The clauses that it shows.
    pub clauses: Vec<String>,
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// The line of the document, from 1.
    pub at: usize,
}

/// How much of the protocol a server claims to speak (section 10): each level holds the ones before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Level {
    /// Plain sessions (clause 10.1).
    Plain,
    /// Named sessions (clause 10.2).
    Named,
    /// Bad input harms its sender only (clause 10.3).
    Robust,
}

/// Something that one client does or receives.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Step {
    /// The client's letter; it connects at its first step.
    pub client: char,
    /// What it does or receives.
    pub action: Action,
    /// The line of the document, from 1.
    pub at: usize,
}

/// What a client does or receives.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Action {
    /// `A> …`: it sends this line, and CRLF.
    Send(String),
    /// `A>raw "…"`: it sends these bytes in one write.
    SendRaw(Vec<u8>),
    /// `A>EOF`: it closes its sending side.
    HalfClose,
    /// `A< …`: it receives this line; compare with [`Guests::matches`](super::Guests::matches).
    Expect(String),
    /// `A<raw "…"`: it receives these bytes.
    ExpectRaw(Vec<u8>),
    /// `A<EOF`: it receives nothing more.
    ExpectEof,
}

impl Level {
    /// The level as it is written in the document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Named => "named",
            Self::Robust => "robust",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Level {
    type Err = NotationError;

    fn from_str(level: &str) -> Result<Self, NotationError> {
        let found = [Self::Plain, Self::Named, Self::Robust].into_iter().find(|known| known.as_str() == level);
        found.ok_or_else(|| NotationError(format!("`{level}` is no level: plain, named or robust")))
    }
}

/// Reads a `dialogue` block.
pub(super) fn read(block: &Block<'_>) -> Result<Dialogue, ContractError> {
    let failed = |problem| ContractError::new(block.at, problem);
    let &[_, name, level] = block.info.split_whitespace().collect::<Vec<_>>().as_slice() else {
        return Err(failed("a dialogue has a name and a level".to_owned()));
    };
    let level = level.parse().map_err(|error: NotationError| failed(error.0))?;
    let mut dialogue = Dialogue { name: name.to_owned(), level, clauses: Vec::new(), steps: Vec::new(), at: block.at };

    for &(at, line) in &block.lines {
        let failed = |problem| ContractError::new(at, problem);
        if let Some(clauses) = line.strip_prefix("# clauses ") {
            dialogue.clauses = clauses.split(' ').map(str::to_owned).collect();
            if let Some(odd) = dialogue.clauses.iter().find(|clause| !is_clause_number(clause)) {
                return Err(failed(format!("`{odd}` is no number of a clause")));
            }
            continue;
        }
        let (client, action) = step(line).map_err(|error| failed(error.0))?;
        let receives = matches!(action, Action::Expect(_) | Action::ExpectRaw(_) | Action::ExpectEof);
        if receives && !dialogue.steps.iter().any(|step| step.client == client) {
            return Err(failed(format!("{client} receives something, and has sent nothing yet")));
        }
        dialogue.steps.push(Step { client, action, at });
    }
    Ok(dialogue)
}

/// Parses one step of a dialogue: the letter of the client, and what it does or receives.
///
/// # Errors
/// [`NotationError`] says what is wrong with the step.
///
/// ```
/// use chat_proto::contract::{Action, step};
///
/// assert_eq!(step("A> MSG hi"), Ok(('A', Action::Send("MSG hi".to_owned()))));
/// assert_eq!(step("B<EOF"), Ok(('B', Action::ExpectEof)));
/// ```
pub fn step(line: &str) -> Result<(char, Action), NotationError> {
    let mut chars = line.chars();
    let (client, sends) = match (chars.next(), chars.next()) {
        (Some(client @ 'A'..='Z'), Some('>')) => (client, true),
        (Some(client @ 'A'..='Z'), Some('<')) => (client, false),
        _ => {
            let problem = format!("`{line}` is no step: it starts with a client's letter and `>` or `<`");
            return Err(NotationError(problem));
        }
    };
    let rest = chars.as_str();
    let action = if rest == "EOF" {
        if sends { Action::HalfClose } else { Action::ExpectEof }
    } else if let Some(raw) = rest.strip_prefix("raw ") {
        let bytes = quoted::whole(raw).map_err(NotationError)?;
        if sends { Action::SendRaw(bytes) } else { Action::ExpectRaw(bytes) }
    } else if rest.is_empty() && sends {
        Action::Send(String::new())
    } else if let Some(line) = rest.strip_prefix(' ') {
        if sends { Action::Send(line.to_owned()) } else { Action::Expect(line.to_owned()) }
    } else {
        let problem =
            format!("`{line}` is no step: behind `>` or `<` comes SP and a line, `raw` and a string, or `EOF`");
        return Err(NotationError(problem));
    };
    Ok((client, action))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialogue(text: &str) -> Result<Dialogue, String> {
        let (info, rows) = text.split_once('\n').unwrap();
        let lines = rows.lines().enumerate().map(|(index, line)| (index + 2, line)).collect();
        read(&Block { info, at: 1, lines }).map_err(|error| error.to_string())
    }

    #[test]
    fn every_step() {
        let text = "dialogue all-steps robust\n# clauses 3.5 5.1\nA> MSG  hi \nA>raw \"a\\n\"\nA>\nA>EOF\nA< OK\nA<raw \"O\"\nA<EOF\n";
        let dialogue = dialogue(text).unwrap();
        assert_eq!((dialogue.name.as_str(), dialogue.level), ("all-steps", Level::Robust));
        assert_eq!(dialogue.clauses, ["3.5", "5.1"]);
        let actions: Vec<_> = dialogue.steps.iter().map(|step| step.action.clone()).collect();
        let expected = [
            Action::Send("MSG  hi ".to_owned()),
            Action::SendRaw(b"a\n".to_vec()),
            Action::Send(String::new()),
            Action::HalfClose,
            Action::Expect("OK".to_owned()),
            Action::ExpectRaw(b"O".to_vec()),
            Action::ExpectEof,
        ];
        assert_eq!(actions, expected);
        assert_eq!((dialogue.steps[0].client, dialogue.steps[0].at), ('A', 3));
    }

    #[track_caller]
    fn refused(text: &str, why: &str) {
        assert_eq!(dialogue(text), Err(why.to_owned()), "{text}");
    }

    #[test]
    fn not_dialogues() {
        refused("dialogue a\n", "line 1: a dialogue has a name and a level");
        refused("dialogue a best\n", "line 1: `best` is no level: plain, named or robust");
        refused("dialogue a plain\n# clauses 1\n", "line 2: `1` is no number of a clause");
        refused("dialogue a plain\nA< OK\n", "line 2: A receives something, and has sent nothing yet");
        refused(
            "dialogue a plain\nA> x\nhello\n",
            "line 3: `hello` is no step: it starts with a client's letter and `>` or `<`",
        );
        refused(
            "dialogue a plain\nA>MSG hi\n",
            "line 2: `A>MSG hi` is no step: behind `>` or `<` comes SP and a line, `raw` and a string, or `EOF`",
        );
        refused("dialogue a plain\nA>raw hi\n", "line 2: a string in quotes is wanted, not `hi`");
    }

    #[test]
    fn levels_are_in_order() {
        assert!(Level::Plain < Level::Named && Level::Named < Level::Robust);
        assert_eq!("named".parse(), Ok(Level::Named));
    }
}
