//! Names that nobody else has: each name that a case logs in with stands for itself and a number of this run.
//!
//! So a case works against a server with others in the room, and a second time against one that forgets nobody.

use std::{collections::BTreeMap, fmt::Write};

use chat_proto::{MAX_NAME, Name};

use super::{Act, Case};

/// The names of a case, and what stands for them in this run.
#[derive(Clone, Debug, Default)]
pub struct Names {
    fresh: BTreeMap<String, String>,
}

impl Names {
    /// The names that named clients of this case ask for; `number` makes them fresh.
    pub fn of(case: &Case, number: u32) -> Self {
        let mut sent: BTreeMap<char, Vec<u8>> = BTreeMap::new();
        for step in &case.steps {
            if let Act::Send(bytes) | Act::SendEach(bytes) = &step.act {
                sent.entry(step.who).or_default().extend(bytes);
            }
        }
        let mut fresh = BTreeMap::new();
        for bytes in sent.values().filter(|bytes| bytes.starts_with(b"PROT")) {
            let sent = String::from_utf8_lossy(bytes);
            let asked = sent
                .lines()
                .filter_map(|line| line.strip_prefix("PROT 0.1 CONNECT USER ").or_else(|| line.strip_prefix("NAME ")));
            for name in asked.filter(|name| Name::chosen(name).is_ok()) {
                fresh.insert(name.to_owned(), make_fresh(name, number));
            }
        }
        Self { fresh }
    }

    /// The text with every name in it made fresh.
    pub fn text(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + 16);
        let mut word = String::new();
        // The last word is ended by something that is no part of the text.
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

    /// The bytes with every name in them made fresh.
    pub fn bytes(&self, bytes: &[u8]) -> Vec<u8> {
        // What is not UTF-8 is passed on as it is.
        let chunks = bytes.utf8_chunks();
        chunks.flat_map(|chunk| [self.text(chunk.valid()).into_bytes(), chunk.invalid().to_vec()].concat()).collect()
    }

    /// Whether this name is one of the case's, in any case of its letters (clause 1.6).
    pub fn knows(&self, name: &str) -> bool {
        self.fresh.values().any(|fresh| fresh.eq_ignore_ascii_case(name))
    }
}

fn make_fresh(name: &str, number: u32) -> String {
    let mut digits = String::new();
    // What would become a guest's name is kept from it (clause 2.7).
    let letter = if name.eq_ignore_ascii_case("guest") { "x" } else { "" };
    // Writing to a string does not fail.
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
                    B> NAME plain\nC> PROT 0.1 CONNECT NEW\nC> NAME abcdefghijklmnopqrst\nC> NAME guest7\nC> NAME b*b\n";
        let names = Names::of(&crate::case::read("f", text).unwrap()[0], 42);
        assert_eq!(names.text("FROM bob MSG bobby, bob! plain"), "FROM bob0000042 MSG bobby, bob0000042! plain");
        assert_eq!(names.text("JOIN abcdefghijklmnopqrst"), "JOIN abcdefghijklm0000042");
        assert_eq!(names.text("JOIN guest7"), "JOIN guest7");
        assert_eq!(names.bytes(b"bob\xff\xfebob"), b"bob0000042\xff\xfebob0000042");
        assert!(names.knows("BOB0000042") && !names.knows("bob"));
    }
}
