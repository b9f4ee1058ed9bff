//! Fresh names: each name that a case logs in with gets a number as a suffix, another one in each run.
//!
//! A case therefore works while other clients are in the room, and against a server that never frees a name.

use std::{collections::BTreeMap, fmt::Write};

use chat_proto::{MAX_NAME, Name};

use super::{Act, Case};

/// Maps the names in a case to the fresh names of this run.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// From the name in the case to the fresh name.
    fresh: BTreeMap<String, String>,
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
        Self { fresh }
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
}
