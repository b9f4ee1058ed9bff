//! Annex C: lines and their meaning.

use super::{Block, ContractError, is_clause_number, quoted};

/// The words of a client's lines, and how many arguments each takes.
const CLIENT_WORDS: &[(&str, usize)] = &[
    ("connect-new", 0),
    ("connect-user", 1),
    ("name", 1),
    ("message", 1),
    ("clients", 0),
    ("ping", 0),
    ("pong", 0),
    ("bye", 0),
    ("blank", 0),
];

/// The words of a server's lines, and how many arguments each takes; `list` takes two or more.
const SERVER_WORDS: &[(&str, usize)] = &[
    ("name-req", 0),
    ("name-ok", 0),
    ("name-failure", 0),
    ("welcome", 0),
    ("ok", 0),
    ("bad-req", 0),
    ("bad-prot", 0),
    ("ping", 0),
    ("pong", 0),
    ("bye", 0),
    ("join", 1),
    ("logout", 1),
    ("from", 2),
    ("notice", 1),
    ("list", 2),
    ("other", 1),
];

const REPLIES: &[&str] = &["BAD REQ", "BAD PROT", "NAME FAILURE"];

/// A line and what it means.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Vector {
    /// Where the line stands.
    pub context: Context,
    /// The line in bytes, without its terminator.
    pub line: Vec<u8>,
    /// What it means there.
    pub meaning: Meaning,
    /// The line of the document, from 1.
    pub at: usize,
}

/// Where a line stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Context {
    /// A client's first line.
    First,
    /// A later line of a named session.
    Named,
    /// A later line of a plain session.
    Plain,
    /// A line that a client receives.
    Server,
}

/// What a line means.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Meaning {
    /// A message, in the words of Annex C: `message` with one text, `list` with a number and names.
    Says {
        /// Its word.
        word: String,
        /// What follows the word.
        with: Vec<String>,
    },
    /// The line is refused, or malformed.
    Breaks {
        /// The clause that it breaks.
        clause: String,
        /// What a server answers; `None` for a line from a server.
        reply: Option<String>,
    },
}

/// Reads the lines of a `vectors` block.
pub(super) fn read(block: &Block<'_>) -> Result<Vec<Vector>, ContractError> {
    let context = context(block.info).map_err(|problem| ContractError::new(block.at, problem))?;
    let rows = block.lines.iter().filter(|(_, row)| !row.is_empty() && !row.starts_with('#'));
    rows.map(|&(at, row)| {
        let (line, meaning) = parse(row, context).map_err(|problem| ContractError::new(at, problem))?;
        Ok(Vector { context, line, meaning, at })
    })
    .collect()
}

fn context(info: &str) -> Result<Context, String> {
    match info.strip_prefix("vectors").unwrap_or(info).trim() {
        "first" => Ok(Context::First),
        "named" => Ok(Context::Named),
        "plain" => Ok(Context::Plain),
        "server" => Ok(Context::Server),
        other => Err(format!("`{other}` is no context: first, named, plain or server")),
    }
}

fn parse(row: &str, context: Context) -> Result<(Vec<u8>, Meaning), String> {
    let (line, rest) = quoted::leading(row)?;
    let meaning = rest.strip_prefix(" => ").ok_or("a line and its meaning are parted by ` => `")?;
    let meaning = match meaning.strip_prefix("! ") {
        Some(refusal) => breaks(refusal, context)?,
        None => says(meaning, context)?,
    };
    Ok((line, meaning))
}

fn breaks(refusal: &str, context: Context) -> Result<Meaning, String> {
    let (clause, reply) = match refusal.split_once(' ') {
        Some((clause, reply)) => (clause, Some(reply)),
        None => (refusal, None),
    };
    if !is_clause_number(clause) {
        return Err(format!("`{clause}` is no number of a clause"));
    }
    if reply.is_none() != (context == Context::Server) || reply.is_some_and(|reply| !REPLIES.contains(&reply)) {
        return Err(
            "a client's line is refused with BAD REQ, BAD PROT or NAME FAILURE, a server's with nothing".to_owned()
        );
    }
    Ok(Meaning::Breaks { clause: clause.to_owned(), reply: reply.map(str::to_owned) })
}

fn says(meaning: &str, context: Context) -> Result<Meaning, String> {
    let (word, mut rest) = meaning.split_once(' ').unwrap_or((meaning, ""));
    let mut with = Vec::new();
    while !rest.is_empty() {
        if rest.starts_with('"') {
            let (text, after) = quoted::leading(rest)?;
            with.push(String::from_utf8(text).map_err(|_| "what a line means is text, hence UTF-8")?);
            rest = after.trim_start();
        } else {
            let (argument, after) = rest.split_once(' ').unwrap_or((rest, ""));
            with.push(argument.to_owned());
            rest = after;
        }
    }

    let words = if context == Context::Server { SERVER_WORDS } else { CLIENT_WORDS };
    let known =
        words.iter().find(|known| known.0 == word).ok_or_else(|| format!("`{word}` is no word of this context"))?;
    if with.len() == known.1 || (word == "list" && with.len() > known.1) {
        return Ok(Meaning::Says { word: word.to_owned(), with });
    }
    Err(format!("`{word}` takes {} arguments, not {}", known.1, with.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn means(row: &str, context: Context, line: &[u8], word: &str, with: &[&str]) {
        let with = with.iter().map(|&argument| argument.to_owned()).collect();
        assert_eq!(parse(row, context), Ok((line.to_vec(), Meaning::Says { word: word.to_owned(), with })), "{row}");
    }

    #[track_caller]
    fn refused(row: &str, context: Context, why: &str) {
        assert_eq!(parse(row, context), Err(why.to_owned()), "{row}");
    }

    #[test]
    fn rows() {
        means(r#""BYE" => bye"#, Context::Plain, b"BYE", "bye", &[]);
        means(r#""MSG " + "a"*3 => message "a"*2 + "a""#, Context::Named, b"MSG aaa", "message", &["aaa"]);
        means(r#""F" => from bob "a b""#, Context::Server, b"F", "from", &["bob", "a b"]);
        means(r#""L" => list 9 alice bob"#, Context::Server, b"L", "list", &["9", "alice", "bob"]);
        let broken =
            |reply: Option<&str>| Meaning::Breaks { clause: "1.5".to_owned(), reply: reply.map(str::to_owned) };
        assert_eq!(parse(r#""" => ! 1.5 BAD REQ"#, Context::First), Ok((vec![], broken(Some("BAD REQ")))));
        assert_eq!(parse(r#""" => ! 1.5"#, Context::Server), Ok((vec![], broken(None))));
    }

    #[test]
    fn not_rows() {
        let one_or_other = "a client's line is refused with BAD REQ, BAD PROT or NAME FAILURE, a server's with nothing";
        refused(r#""x" -> bye"#, Context::Plain, "a line and its meaning are parted by ` => `");
        refused(r#""x" => hello"#, Context::Plain, "`hello` is no word of this context");
        refused(r#""x" => welcome"#, Context::Plain, "`welcome` is no word of this context");
        refused(r#""x" => join"#, Context::Server, "`join` takes 1 arguments, not 0");
        refused(r#""x" => message "\xFF""#, Context::Plain, "what a line means is text, hence UTF-8");
        refused(r#""x" => ! 1.5"#, Context::Plain, one_or_other);
        refused(r#""x" => ! 1.5 NO"#, Context::Plain, one_or_other);
        refused(r#""x" => ! 1.5 BAD REQ"#, Context::Server, one_or_other);
        refused(r#""x" => ! one BAD REQ"#, Context::Plain, "`one` is no number of a clause");
    }
}
