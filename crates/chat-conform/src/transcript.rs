//! The transcript of a case: the lines that were sent and received, and which of them was wrong.

use std::{
    collections::{BTreeSet, VecDeque},
    fmt::{self, Write},
};

/// How many lines are kept from the start of a case, and as many from its end. This bounds the memory if a peer never
/// stops sending. It is large, so that the lines of other clients do not push out those of the case.
const KEPT_LINES: usize = 500;
/// How many lines are shown from the start of a case, and as many from its end. No embedded case comes near it.
const SHOWN_LINES: usize = 60;
/// So many lines about other clients are shown. If there are more, all are left out: the case is played among others.
const SHOWN_OF_OTHERS: usize = 5;

/// The event where a line was expected, and none came in time.
pub(crate) const NOTHING_CAME: &str = "nothing came";

/// The lines of a case, in the order in which they were sent and received. A long transcript keeps its first and last
/// lines, and only counts those between them.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    first: Vec<Entry>,
    last: VecDeque<Entry>,
    /// How many lines between `first` and `last` were dropped.
    dropped: u64,
    /// Whether one of the dropped lines is wrong.
    is_dropped_wrong: bool,
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
    /// Escaped and shortened by [`shortened`], so that a long line takes little memory.
    Sent(String),
    /// As `Sent`.
    Received(String),
    /// Something without bytes, such as a close or a timeout.
    Event(&'static str),
}

/// How a line in the transcript is marked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mark {
    /// The line is as expected.
    Fine,
    /// The line is about a client outside of this case. It is ignored.
    Ignored,
    /// The line is the reason why the case fails.
    Wrong,
}

impl Transcript {
    /// Records that `who` sent these bytes.
    pub fn sent(&mut self, who: char, bytes: &[u8]) {
        self.push(who, Kind::Sent(shortened(bytes)), Mark::Fine);
    }

    /// Records that `who` received these bytes. Returns the position of the entry, for [`Self::mark`].
    pub fn received(&mut self, who: char, bytes: &[u8], mark: Mark) -> u64 {
        self.push(who, Kind::Received(shortened(bytes)), mark)
    }

    /// Records an event without bytes at `who`, such as a close.
    pub fn event(&mut self, who: char, event: &'static str, mark: Mark) {
        self.push(who, Kind::Event(event), mark);
    }

    /// The position of the last entry.
    pub(crate) fn last_position(&self) -> u64 {
        (self.first.len() as u64 + self.dropped + self.last.len() as u64).saturating_sub(1)
    }

    /// Marks the entry at this position. If it was dropped and is wrong, the text says so.
    pub fn mark(&mut self, position: u64, mark: Mark) {
        let kept = self.first.len() as u64;
        let entry = match position.checked_sub(kept) {
            None => usize::try_from(position).ok().and_then(|index| self.first.get_mut(index)),
            Some(after) => {
                let index = after.checked_sub(self.dropped).and_then(|index| usize::try_from(index).ok());
                index.and_then(|index| self.last.get_mut(index))
            }
        };
        match entry {
            Some(entry) => entry.mark = mark,
            None => self.is_dropped_wrong |= mark == Mark::Wrong,
        }
    }

    /// Corrects the last entry, if it says that nothing came: something came before, and that was wrong.
    pub(crate) fn nothing_more_came(&mut self) {
        let last = self.last.back_mut().or(self.first.last_mut());
        if let Some(last) = last.filter(|last| last.kind == Kind::Event(NOTHING_CAME)) {
            (last.kind, last.mark) = (Kind::Event("nothing more came"), Mark::Fine);
        }
    }

    fn push(&mut self, who: char, kind: Kind, mark: Mark) -> u64 {
        let position = self.first.len() as u64 + self.dropped + self.last.len() as u64;
        let entry = Entry { who, kind, mark };
        if self.first.len() < KEPT_LINES {
            self.first.push(entry);
            return position;
        }
        if self.last.len() == KEPT_LINES {
            self.last.pop_front();
            self.dropped += 1;
        }
        self.last.push_back(entry);
        position
    }

    /// The lines as text. A wrong line starts with `!`, an ignored one with `~`.
    ///
    /// Many ignored lines are left out, and so is the middle of a long transcript. A line tells how many. Wrong lines are
    /// always there.
    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        let ignored = self.first.iter().chain(&self.last).filter(|entry| entry.mark == Mark::Ignored).count();
        let shown_of_others = if ignored > SHOWN_OF_OTHERS { 0 } else { ignored };
        let left_out = (shown_of_others < ignored)
            .then(|| format!("  … {ignored} lines of other clients left out; --verbose shows them"));
        self.abridged(shown_of_others > 0, SHOWN_LINES).into_iter().chain(left_out)
    }

    /// As [`Self::lines`], with the ignored lines and all others that were kept: the first 500 and the last 500.
    pub fn all_lines(&self) -> impl Iterator<Item = String> + '_ {
        self.abridged(true, KEPT_LINES).into_iter()
    }

    /// The lines, but of those that are not wrong only the first and the last ones, at most `shown` of each.
    fn abridged(&self, with_ignored: bool, shown: usize) -> Vec<String> {
        let is_kept = |entry: &&Entry| with_ignored || entry.mark != Mark::Ignored;
        let mut entries: Vec<&Entry> = self.first.iter().filter(is_kept).collect();
        // The dropped lines stand before the entry with this index.
        let dropped_at = (self.dropped > 0).then_some(entries.len());
        entries.extend(self.last.iter().filter(is_kept));
        let hidden = (shown..entries.len().saturating_sub(shown)).filter(|&at| entries[at].mark != Mark::Wrong);
        let hidden: BTreeSet<usize> = hidden.collect();
        let gap_at = hidden.first().copied().into_iter().chain(dropped_at).min();
        let (left_out, wrong) = (self.dropped + hidden.len() as u64, self.is_dropped_wrong);
        let mark = if wrong { "! … " } else { "  … " };
        let gap = format!("{mark}{left_out} more lines{}", if wrong { ", one of them wrong" } else { "" });
        let mut lines = Vec::with_capacity(entries.len() + 1);
        for at in 0..=entries.len() {
            lines.extend((gap_at == Some(at)).then(|| gap.clone()));
            lines.extend(entries.get(at).filter(|_| !hidden.contains(&at)).map(ToString::to_string));
        }
        lines
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.mark {
            Mark::Fine => ' ',
            Mark::Ignored => '~',
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

/// The bytes as [`visible`] shows them. Of more than 200 bytes, only the first, the last and the length are shown.
pub fn shortened(bytes: &[u8]) -> String {
    const MAX_BYTES: usize = 200;
    if bytes.len() <= MAX_BYTES {
        return visible(bytes);
    }
    let (start, end) = (&bytes[..60], &bytes[bytes.len() - 20..]);
    format!("{} … {} ({} bytes)", visible(start), visible(end), bytes.len())
}

/// The bytes in the notation of Annex B. Invisible characters and bytes that are not UTF-8 are escaped.
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
                c if is_invisible(c) => {
                    write!(out, "\\u{{{:X}}}", u32::from(c)).expect("writing to a String cannot fail");
                }
                c => out.push(c),
            }
        }
        for byte in chunk.invalid() {
            write!(out, "\\x{byte:02X}").expect("writing to a String cannot fail");
        }
    }
    out
}

/// Whether the character is a control character, has no width, looks like SP, or changes the direction of text.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{a0}' | '\u{ad}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visible_bytes_can_be_parsed_back() {
        for bytes in [&b"MSG \"hi\"\\\r\n"[..], b"caf\xc3\xa9 \xff\x1b[2J\0\t", "\u{202e}\u{1f642}\u{85}".as_bytes()] {
            let shown = format!("\"{}\"", visible(bytes));
            assert!(!shown.chars().any(is_invisible), "{shown}");
            assert_eq!(chat_proto::contract::quoted(&shown).as_deref(), Ok(bytes), "{shown}");
        }
    }

    #[test]
    fn the_wrong_line_is_marked() {
        let mut transcript = Transcript::default();
        transcript.sent('A', b"hi\r\n");
        transcript.received('A', b"JOIN eve\r\n", Mark::Ignored);
        transcript.received('A', b"OK\n", Mark::Wrong);
        transcript.event('A', "closed", Mark::Fine);
        let lines: Vec<_> = transcript.lines().collect();
        assert_eq!(lines, ["  A> hi\\r\\n", "~ A< JOIN eve\\r\\n", "! A< OK\\n", "  A  (closed)"]);
        assert!(shortened(&[b'a'; 9000]).ends_with("(9000 bytes)"));
    }

    #[test]
    fn a_long_transcript_keeps_its_start_and_its_end() {
        let mut transcript = Transcript::default();
        transcript.sent('A', b"hello\r\n");
        for _ in 0..100_000 {
            transcript.received('A', b"MSG x\r\n", Mark::Fine);
        }
        transcript.received('A', b"NO\r\n", Mark::Wrong);
        let last = transcript.received('A', b"LAST\r\n", Mark::Wrong);
        transcript.mark(last, Mark::Fine);
        transcript.mark(1, Mark::Ignored);
        for (lines, kept) in
            [(transcript.lines().collect::<Vec<_>>(), SHOWN_LINES), (transcript.all_lines().collect(), KEPT_LINES)]
        {
            assert_eq!(lines.len(), 2 * kept + 1);
            assert_eq!((lines[1].as_str(), lines[2 * kept].as_str()), ("~ A< MSG x\\r\\n", "  A< LAST\\r\\n"));
            assert_eq!((lines[0].as_str(), lines[2 * kept - 1].as_str()), ("  A> hello\\r\\n", "! A< NO\\r\\n"));
            assert_eq!(lines[kept], format!("  … {} more lines", 100_003 - 2 * kept));
        }
    }

    #[test]
    fn the_lines_of_other_clients_do_not_hide_those_of_the_case() {
        let mut transcript = Transcript::default();
        let flood = |transcript: &mut Transcript, count| {
            for _ in 0..count {
                transcript.received('A', b"JOIN eve\r\n", Mark::Ignored);
            }
        };
        transcript.sent('A', b"hello\r\n");
        flood(&mut transcript, 60);
        let wrong = transcript.received('A', b"JOIN x\r\n", Mark::Ignored);
        flood(&mut transcript, 200);
        transcript.event('A', "nothing came", Mark::Fine);
        transcript.mark(wrong, Mark::Wrong);
        let lines: Vec<_> = transcript.lines().collect();
        let left_out = "  … 260 lines of other clients left out; --verbose shows them";
        assert_eq!(lines, ["  A> hello\\r\\n", "! A< JOIN x\\r\\n", "  A  (nothing came)", left_out]);
        assert_eq!(transcript.all_lines().count(), 263);
    }

    #[test]
    fn a_wrong_line_is_shown_wherever_it_is() {
        for at in [0, 100, 300, 499, 500, 30_000, 59_900, 60_000] {
            let mut transcript = Transcript::default();
            for _ in 0..=60_000 {
                transcript.received('A', b"MSG x\r\n", Mark::Fine);
            }
            transcript.mark(at, Mark::Wrong);
            let wrong = |lines: Vec<String>| lines.iter().filter(|line| line.starts_with('!')).count();
            assert_eq!(wrong(transcript.lines().collect()), 1, "{at}");
            assert_eq!(wrong(transcript.all_lines().collect()), 1, "{at}");
        }
    }
}
