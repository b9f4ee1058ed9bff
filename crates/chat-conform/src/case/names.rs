//! Fresh names: each name that a case logs in with gets a number as a suffix, another one in each run. The messages of
//! plain clients get it too, because a plain client has no name of its own.
//!
//! A case therefore works while other clients are in the room, and against a server that never frees a name.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use chat_proto::{MAX_NAME, Name};

use super::{Act, Case};

/// Maps the names in a case to the fresh names of this run.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// From the name in the case to the fresh name.
    fresh: BTreeMap<String, String>,
    /// The connections with plain sessions.
    plain: BTreeSet<char>,
    number: u32,
}

impl Names {
    /// Collects the names that the case's named clients ask for. `number` becomes their suffix.
    pub fn new(case: &Case, number: u32) -> Self {
        let mut sent: BTreeMap<char, Vec<u8>> = BTreeMap::new();
        for step in &case.steps {
            if let Act::Send(bytes) | Act::SendEach(bytes) = &step.act {
                sent.entry(step.who).or_default().extend(bytes);
            }
        }
        let plain = sent.iter().filter(|(_, bytes)| !bytes.starts_with(b"PROT")).map(|(who, _)| *who).collect();
        let mut fresh = BTreeMap::new();
        for bytes in sent.values().filter(|bytes| bytes.starts_with(b"PROT")) {
            let sent = String::from_utf8_lossy(bytes);
            let requested = sent
                .lines()
                .filter_map(|line| line.strip_prefix("PROT 0.1 CONNECT USER ").or_else(|| line.strip_prefix("NAME ")));
            for name in requested.filter(|name| Name::chosen(name).is_ok()) {
                fresh.insert(name.to_owned(), make_fresh(name, number));
            }
        }
        Self { fresh, plain, number }
    }

    /// The bytes that the connection sends: with fresh names, and with fresh texts in a plain session.
    pub fn sent_by(&self, who: char, bytes: &[u8]) -> Vec<u8> {
        let bytes = self.replace_bytes(bytes);
        if !self.plain.contains(&who) {
            return bytes;
        }
        let line = |line: &[u8]| {
            let text = line.strip_suffix(b"\n").map(|text| text.strip_suffix(b"\r").unwrap_or(text));
            match text.and_then(|text| str::from_utf8(text).ok()) {
                Some(text) => [self.fresh_text(who, text).as_bytes(), &line[text.len()..]].concat(),
                None => line.to_vec(),
            }
        };
        bytes.split_inclusive(|&byte| byte == b'\n').flat_map(line).collect()
    }

    /// The line that a step expects, with fresh names, and with a fresh text if it is the message of a guest.
    pub fn expected(&self, line: &str) -> String {
        let line = self.replace(line);
        let Some((from, text)) = line.split_once(" MSG ") else { return line };
        match self.plain_guest(from) {
            Some(who) => format!("{from} MSG {}", self.fresh_text(who, text)),
            None => line,
        }
    }

    /// Whether the text is one that only this connection in this run can have sent.
    pub fn is_fresh_text(&self, who: char, text: &str) -> bool {
        text.strip_suffix(&self.suffix(who)).is_some_and(is_ordinary)
    }

    /// Whether the line is about a named client of another case of the run.
    pub fn is_of_run(&self, line: &str) -> bool {
        line.split(' ').nth(1).is_some_and(|name| !name.starts_with("guest") && is_near(name, self.number))
    }

    /// B, if this is `FROM guest{b}` and B has a plain session.
    fn plain_guest(&self, from: &str) -> Option<char> {
        let letter = from.strip_prefix("FROM guest{")?.chars().next()?.to_ascii_uppercase();
        self.plain.contains(&letter).then_some(letter)
    }

    fn suffix(&self, who: char) -> String {
        format!(" {:07}{}", self.number % 10_000_000, who.to_ascii_lowercase())
    }

    /// Appends the number and the letter to an ordinary text. Other texts are in a case for what they are.
    fn fresh_text(&self, who: char, text: &str) -> String {
        if is_ordinary(text) { format!("{text}{}", self.suffix(who)) } else { text.to_owned() }
    }

    /// Replaces every name in `text` by its fresh name.
    pub fn replace(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + 16);
        let mut word = String::new();
        // The `None` ends the last word.
        for c in text.chars().map(Some).chain([None]) {
            if let Some(c) = c.filter(char::is_ascii_alphanumeric) {
                word.push(c);
                continue;
            }
            out.push_str(self.fresh.get(&word).unwrap_or(&word));
            word.clear();
            out.extend(c);
        }
        out
    }

    /// Replaces every name in `bytes` by its fresh name. Bytes that are not UTF-8 stay as they are.
    pub fn replace_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let chunks = bytes.utf8_chunks();
        chunks.flat_map(|chunk| [self.replace(chunk.valid()).into_bytes(), chunk.invalid().to_vec()].concat()).collect()
    }

    /// Whether this is one of the fresh names. Upper and lower case are the same (clause 1.6).
    pub fn contains(&self, name: &str) -> bool {
        self.fresh.values().any(|fresh| fresh.eq_ignore_ascii_case(name))
    }
}

/// Whether a case of the same run may have made this name: its number is near `number`.
fn is_near(name: &str, number: u32) -> bool {
    const CASES: u32 = 5_000;
    let digits = name.len().checked_sub(7).and_then(|at| name.get(at..)).and_then(|digits| digits.parse::<u32>().ok());
    digits.is_some_and(|other| other.abs_diff(number % 10_000_000) < CASES)
}

/// Whether the text is a few words that no server can take for anything else.
fn is_ordinary(text: &str) -> bool {
    const VERBS: [&str; 11] = ["bye", "get", "join", "list", "msg", "name", "ok", "ping", "pong", "prot", "req"];
    let first = text.split(' ').next().unwrap_or_default().to_ascii_lowercase();
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'?');
    text.len() <= 100 && text.split(' ').all(is_word) && !VERBS.contains(&&*first)
}

/// Appends the number. Shortens the name if the result would be longer than [`MAX_NAME`].
fn make_fresh(name: &str, number: u32) -> String {
    let mut digits = String::new();
    // `guest` with digits is reserved for guests (clause 2.7).
    let letter = if name.eq_ignore_ascii_case("guest") { "x" } else { "" };
    // Writing to a String cannot fail.
    let _ = write!(digits, "{letter}{:07}", number % 10_000_000);
    let kept = name.len().min(MAX_NAME - digits.len());
    format!("{}{digits}", &name[..kept])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_as_whole_words() {
        let text = "case a named MUST 3.2\nA>raw \"PROT 0.1 CONN\"\nA>raw \"ECT USER bob\\r\\nMSG x\\r\\n\"\n\
                    B> NAME plain\nC> PROT 0.1 CONNECT NEW\nC> NAME abcdefghijklmnopqrst\nC> NAME guest7\n\
                    C> NAME b*b\n";
        let names = Names::new(&crate::case::read("f", text).unwrap()[0], 42);
        assert_eq!(names.replace("FROM bob MSG bobby, bob! plain"), "FROM bob0000042 MSG bobby, bob0000042! plain");
        assert_eq!(names.replace("JOIN abcdefghijklmnopqrst"), "JOIN abcdefghijklm0000042");
        assert_eq!(names.replace("JOIN guest7"), "JOIN guest7");
        assert_eq!(names.replace_bytes(b"bob\xff\xfebob"), b"bob0000042\xff\xfebob0000042");
        assert!(names.contains("BOB0000042") && !names.contains("bob"));
    }

    #[test]
    fn ordinary_texts_of_plain_clients_are_fresh() {
        let text = "case a plain MUST 4.1\nA> hello\nA> BYE\nB joins bob\n";
        let names = Names::new(&crate::case::read("f", text).unwrap()[0], 42);
        assert_eq!(names.sent_by('A', b"hello\r\n PING\nBYE\r\nhi"), b"hello 0000042a\r\n PING\nBYE\r\nhi");
        assert_eq!(names.sent_by('B', b"MSG hello\r\n"), b"MSG hello\r\n");
        assert_eq!(names.expected("FROM guest{a} MSG hello"), "FROM guest{a} MSG hello 0000042a");
        assert_eq!(names.expected("FROM guest{a} MSG  PING"), "FROM guest{a} MSG  PING");
        assert_eq!(names.expected("FROM guest{b} MSG hello"), "FROM guest{b} MSG hello");
        assert!(names.is_fresh_text('A', "hello 0000042a") && !names.is_fresh_text('A', "hello"));
    }
}
