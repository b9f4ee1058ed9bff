//! Decodes the bytes that a terminal sends into keys. Has no clock: the caller says when the terminal is silent.

use std::mem::take;

use super::key::Key;

/// Maximum length of a paste, in bytes.
const MAX_PASTE: usize = 1 << 20;
/// Maximum length of an escape sequence, in bytes. A longer one is dropped.
const MAX_SEQUENCE: usize = 64;
/// The longest key, in bytes. After a silence in a paste, a longer piece of input continues the paste.
const MAX_KEY: usize = 6;
const PASTE_END: &[u8] = b"\x1b[201~";

/// Decodes keys from bytes, in whatever pieces they arrive.
#[derive(Debug, Default)]
pub(crate) struct KeyDecoder {
    /// Bytes that are not decoded yet.
    bytes: Vec<u8>,
    paste: Option<Paste>,
}

#[derive(Debug, Default)]
struct Paste {
    text: Vec<u8>,
    is_too_long: bool,
    /// The terminal was silent within the paste. Its end may be lost.
    is_stalled: bool,
}

/// What some bytes were.
enum Decoded {
    Key(Key),
    /// A sequence that is no key, or not UTF-8.
    Nothing,
}

impl From<Option<Key>> for Decoded {
    fn from(key: Option<Key>) -> Self {
        key.map_or(Self::Nothing, Self::Key)
    }
}

impl KeyDecoder {
    /// Decodes what can be decoded with these bytes.
    pub(crate) fn decode(&mut self, bytes: &[u8]) -> Vec<Key> {
        let mut keys = Vec::new();
        if self.paste.as_ref().is_some_and(|paste| paste.is_stalled) && bytes.len() <= MAX_KEY && bytes != PASTE_END {
            // Somebody presses a key, so the end of the paste was lost.
            self.paste = None;
        }
        self.bytes.extend_from_slice(bytes);
        while let Some(decoded) = self.decode_one() {
            match (keys.last_mut(), decoded) {
                (_, Decoded::Nothing) => {}
                (Some(Key::Text(text)), Decoded::Key(Key::Text(more))) => text.push_str(&more),
                (_, Decoded::Key(key)) => keys.push(key),
            }
        }
        keys
    }

    /// Whether a sequence, a character or a paste is incomplete.
    pub(crate) fn is_incomplete(&self) -> bool {
        !self.bytes.is_empty() || self.paste.as_ref().is_some_and(|paste| !paste.is_stalled)
    }

    /// Decodes an incomplete sequence as it is, because the terminal has been silent for a while. A single ESC is the
    /// key. Half a character is dropped. The text of a paste is delivered, and more of it may follow.
    pub(crate) fn flush(&mut self) -> Vec<Key> {
        let rest = take(&mut self.bytes);
        if let Some(paste) = &mut self.paste {
            paste.is_stalled = true;
            paste.append(&rest);
            return paste.take_key().into_iter().collect();
        }
        if rest == b"\x1b" { vec![Key::Escape] } else { Vec::new() }
    }

    /// Takes the first key from the bytes. `None`: more bytes are needed.
    fn decode_one(&mut self) -> Option<Decoded> {
        if let Some(paste) = &mut self.paste {
            let end = find(&self.bytes, PASTE_END);
            // The last bytes may be the start of the sequence that ends the paste.
            let length = end.unwrap_or(self.bytes.len().saturating_sub(PASTE_END.len() - 1));
            paste.append(&self.bytes[..length]);
            self.bytes.drain(..length + end.map_or(0, |_| PASTE_END.len()));
            end?;
            return Some(take(&mut self.paste).and_then(|mut paste| paste.take_key()).into());
        }
        let (length, key) = match *self.bytes.first()? {
            0x1b => escape_sequence(&self.bytes)?,
            byte @ (0..0x20 | 0x7f) => (1, control(byte)),
            _ => text(&self.bytes)?,
        };
        if self.bytes[..length] == *b"\x1b[200~" {
            self.paste = Some(Paste::default());
        }
        self.bytes.drain(..length);
        Some(key.into())
    }
}

impl Paste {
    fn append(&mut self, bytes: &[u8]) {
        if self.is_too_long || self.text.len() + bytes.len() > MAX_PASTE {
            self.is_too_long = true;
            self.text = Vec::new();
        } else {
            self.text.extend_from_slice(bytes);
        }
    }

    /// The paste as a key. `None` if it is empty.
    fn take_key(&mut self) -> Option<Key> {
        if take(&mut self.is_too_long) {
            return Some(Key::PasteTooLong);
        }
        // Terminals send CR at the ends of lines.
        let text = String::from_utf8_lossy(&take(&mut self.text)).replace("\r\n", "\n").replace('\r', "\n");
        (!text.is_empty()).then_some(Key::Paste(text))
    }
}

/// The characters at the start of the bytes, up to a control character. Skips what is not UTF-8.
fn text(bytes: &[u8]) -> Option<(usize, Option<Key>)> {
    let end = bytes.iter().position(|byte| *byte < 0x20 || *byte == 0x7f).unwrap_or(bytes.len());
    match std::str::from_utf8(&bytes[..end]) {
        Ok(text) => Some((end, Some(Key::Text(text.to_owned())))),
        Err(error) if error.valid_up_to() > 0 => {
            let valid = error.valid_up_to();
            Some((valid, Some(Key::Text(String::from_utf8_lossy(&bytes[..valid]).into_owned()))))
        }
        // A character that is cut off by a control character does not continue.
        Err(error) => error.error_len().or((end < bytes.len()).then_some(end)).map(|length| (length, None)),
    }
}

fn control(byte: u8) -> Option<Key> {
    Some(match byte {
        b'\r' | b'\n' => Key::Enter,
        b'\t' => Key::Tab,
        0x08 | 0x7f => Key::Backspace,
        1..=26 => Key::Ctrl(char::from(byte + 0x60)),
        0x1c => Key::Ctrl('\\'),
        0x1f => Key::Ctrl('_'),
        _ => return None,
    })
}

/// The key of an escape sequence, and its length. `None`: more bytes are needed.
fn escape_sequence(bytes: &[u8]) -> Option<(usize, Option<Key>)> {
    match *bytes.get(1)? {
        b'[' => control_sequence(bytes),
        // Keypad mode.
        b'O' => bytes.get(2).map(|last| match last {
            0..0x20 => (2, None),
            b'M' => (3, Some(Key::Enter)),
            last => (3, named_key(*last, false)),
        }),
        // A report of the terminal: it ends with BEL or ESC \.
        b'P' | b']' | b'_' | b'^' | b'X' => {
            let bel = bytes.iter().position(|byte| *byte == 7).map(|at| at + 1);
            let end = bel.into_iter().chain(find(bytes, b"\x1b\\").map(|at| at + 2)).min();
            end.or((bytes.len() > 16 * MAX_SEQUENCE).then_some(bytes.len())).map(|length| (length, None))
        }
        0x1b => Some((1, Some(Key::Escape))),
        0x08 | 0x7f => Some((2, Some(Key::Ctrl('w')))),
        byte if byte < 0x20 => Some((1, Some(Key::Escape))),
        _ => match text(&bytes[1..])? {
            (_, Some(Key::Text(text))) => text.chars().next().map(|c| (1 + c.len_utf8(), Some(Key::Alt(c)))),
            (length, _) => Some((1 + length, None)),
        },
    }
}

/// The key of a sequence `ESC [ parameters final`.
fn control_sequence(bytes: &[u8]) -> Option<(usize, Option<Key>)> {
    let end = match bytes[2..].iter().position(|byte| !(0x20..0x40).contains(byte)) {
        Some(length) => 2 + length,
        None => return (bytes.len() > MAX_SEQUENCE).then_some((bytes.len(), None)),
    };
    let last = bytes[end];
    if !(0x40..0x7f).contains(&last) {
        // The sequence is broken off. This byte is not a part of it.
        return Some((end, None));
    }
    let mut parameters = bytes[2..end].split(|byte| *byte == b';');
    let (first, modifier) = (parameters.next().unwrap_or_default(), parameters.next().unwrap_or_default());
    // Shift alone is 2. Alt, Ctrl and their combinations move by words.
    let by_word = !matches!(modifier, b"" | b"1" | b"2");
    let key = match (last, first) {
        (b'~', b"1" | b"7") => Some(Key::Home),
        (b'~', b"4" | b"8") => Some(Key::End),
        (b'~', b"3") => Some(if by_word { Key::Alt('d') } else { Key::Delete }),
        (b'Z', _) => Some(Key::BackTab),
        (last, _) => named_key(last, by_word),
    };
    Some((end + 1, key))
}

fn named_key(last: u8, by_word: bool) -> Option<Key> {
    Some(match last {
        b'A' => Key::Up,
        b'B' => Key::Down,
        b'C' if by_word => Key::WordRight,
        b'D' if by_word => Key::WordLeft,
        b'C' => Key::Right,
        b'D' => Key::Left,
        b'H' => Key::Home,
        b'F' => Key::End,
        _ => return None,
    })
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests;
