//! What went over the wires of a case, byte for byte, and which line of it was wrong.

use std::{
    collections::VecDeque,
    fmt::{self, Write},
};

/// So many lines are kept from the beginning of a case, and as many from its end: more than any case has. A peer that never
/// stops sending costs no more memory than this.
const KEPT: usize = 60;

/// The lines of a case, in the order in which they were sent and read. Of a long one, the middle is counted and not kept.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    first: Vec<Entry>,
    last: VecDeque<Entry>,
    /// How many lines were between those.
    cut: u64,
}

/// One line, write or event.
#[derive(Clone, Debug)]
struct Entry {
    who: char,
    kind: Kind,
    mark: Mark,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Kind {
    /// As it is shown: a line of any length takes little memory.
    Sent(String),
    Received(String),
    /// Something that has no bytes: an end, a silence.
    Event(&'static str),
}

/// What is to be said of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mark {
    /// It is as it should be.
    Fine,
    /// It is about somebody else in the room, and passed over.
    Stranger,
    /// This is what is wrong.
    Wrong,
}

impl Transcript {
    /// `who` sent these bytes.
    pub fn sent(&mut self, who: char, bytes: &[u8]) {
        self.push(who, Kind::Sent(shortened(bytes)), Mark::Fine);
    }

    /// `who` received these bytes.
    pub fn received(&mut self, who: char, bytes: &[u8], mark: Mark) {
        self.push(who, Kind::Received(shortened(bytes)), mark);
    }

    /// Something happened to `who` that has no bytes.
    pub fn event(&mut self, who: char, event: &'static str, mark: Mark) {
        self.push(who, Kind::Event(event), mark);
    }

    fn push(&mut self, who: char, kind: Kind, mark: Mark) {
        let entry = Entry { who, kind, mark };
        if self.first.len() < KEPT {
            return self.first.push(entry);
        }
        if self.last.len() == KEPT {
            self.last.pop_front();
            self.cut += 1;
        }
        self.last.push_back(entry);
    }

    /// The lines as they are shown: the wrong one starts with `!`, a stranger's with `~`. Where lines are left out, one
    /// line tells how many.
    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        let cut = (self.cut > 0).then(|| format!("  … {} more lines", self.cut));
        self.first.iter().map(Entry::to_string).chain(cut).chain(self.last.iter().map(Entry::to_string))
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.mark {
            Mark::Fine => ' ',
            Mark::Stranger => '~',
            Mark::Wrong => '!',
        };
        let who = self.who;
        match &self.kind {
            Kind::Sent(shown) => write!(f, "{mark} {who}> {shown}"),
            Kind::Received(shown) => write!(f, "{mark} {who}< {shown}"),
            Kind::Event(event) => write!(f, "{mark} {who}  ({event})"),
        }
    }
}

/// Long runs of bytes are shown by their beginning, their end and their length.
pub fn shortened(bytes: &[u8]) -> String {
    const MOST: usize = 200;
    if bytes.len() <= MOST {
        return visible(bytes);
    }
    let (start, end) = (&bytes[..60], &bytes[bytes.len() - 20..]);
    format!("{} … {} ({} bytes)", visible(start), visible(end), bytes.len())
}

/// The bytes in the notation of Annex B: what would not show is escaped.
pub fn visible(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 8);
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\r' => out.push_str("\\r"),
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                '\\' => out.push_str("\\\\"),
                '"' => out.push_str("\\\""),
                c if hidden(c) => write!(out, "\\u{{{:X}}}", u32::from(c)).expect("a string grows"),
                c => out.push(c),
            }
        }
        for byte in chunk.invalid() {
            write!(out, "\\x{byte:02X}").expect("a string grows");
        }
    }
    out
}

/// Controls, and what changes the direction of a line or has no width.
fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_shown_as_the_annexes_write_them() {
        for bytes in [&b"MSG \"hi\"\\\r\n"[..], b"caf\xc3\xa9 \xff\x1b[2J\0\t", "\u{202e}\u{1f642}\u{85}".as_bytes()] {
            let shown = format!("\"{}\"", visible(bytes));
            assert!(!shown.chars().any(hidden), "{shown}");
            assert_eq!(chat_proto::contract::quoted(&shown).as_deref(), Ok(bytes), "{shown}");
        }
    }

    #[test]
    fn the_wrong_line_is_marked() {
        let mut transcript = Transcript::default();
        transcript.sent('A', b"hi\r\n");
        transcript.received('A', b"JOIN eve\r\n", Mark::Stranger);
        transcript.received('A', b"OK\n", Mark::Wrong);
        transcript.event('A', "closed", Mark::Fine);
        let lines: Vec<_> = transcript.lines().collect();
        assert_eq!(lines, ["  A> hi\\r\\n", "~ A< JOIN eve\\r\\n", "! A< OK\\n", "  A  (closed)"]);
        assert!(shortened(&[b'a'; 9000]).ends_with("(9000 bytes)"));
    }

    #[test]
    fn of_a_long_transcript_the_beginning_and_the_end_are_kept() {
        let mut transcript = Transcript::default();
        transcript.sent('A', b"hello\r\n");
        for _ in 0..100_000 {
            transcript.received('A', b"JOIN x\r\n", Mark::Stranger);
        }
        transcript.received('A', b"NO\r\n", Mark::Wrong);
        let lines: Vec<_> = transcript.lines().collect();
        assert_eq!(lines.len(), 2 * KEPT + 1);
        assert_eq!((lines[0].as_str(), lines[2 * KEPT].as_str()), ("  A> hello\\r\\n", "! A< NO\\r\\n"));
        assert_eq!(lines[KEPT], format!("  … {} more lines", 100_002 - 2 * KEPT));
    }
}
