//! Tests of the decoder: sequences of xterm and tmux, cut at every byte, and sequences that are never completed.

use super::*;

fn typed(text: &str) -> Key {
    Key::Text(text.to_owned())
}

fn pasted(text: &str) -> Key {
    Key::Paste(text.to_owned())
}

/// Decodes the bytes at once, and in two pieces cut at each place.
#[track_caller]
fn check_keys(bytes: &[u8], expected: &[Key]) {
    assert_eq!(KeyDecoder::default().decode(bytes), expected, "{bytes:?}");
    for cut in 1..bytes.len() {
        let mut decoder = KeyDecoder::default();
        let mut keys = decoder.decode(&bytes[..cut]);
        for key in decoder.decode(&bytes[cut..]) {
            match (keys.last_mut(), key) {
                (Some(Key::Text(text)), Key::Text(more)) => text.push_str(&more),
                (_, key) => keys.push(key),
            }
        }
        assert_eq!(keys, expected, "{bytes:?} cut at {cut}");
        assert!(!decoder.is_incomplete());
    }
}

#[test]
fn keys_are_decoded_in_whatever_pieces_they_arrive() {
    check_keys("aé日\u{1f469}\u{200d}\u{1f4bb}".as_bytes(), &[typed("aé日\u{1f469}\u{200d}\u{1f4bb}")]);
    check_keys(b"a\r\x03b\t\x7f", &[typed("a"), Key::Enter, Key::Ctrl('c'), typed("b"), Key::Tab, Key::Backspace]);
    check_keys(
        b"\x1b[A\x1bOB\x1b[1;5C\x1b[1;3D\x1b[3~",
        &[Key::Up, Key::Down, Key::WordRight, Key::WordLeft, Key::Delete],
    );
    check_keys(b"\x1b[H\x1b[4~\x1bOH\x1b[1;2C", &[Key::Home, Key::End, Key::Home, Key::Right]);
    check_keys("\u{1b}b\u{1b}é".as_bytes(), &[Key::Alt('b'), Key::Alt('é')]);
    check_keys(b"\x1b[I\x1b[?1;2c\x1b]11;rgb:0/0/0\x07\x1bP>|xterm\x1b\\x", &[typed("x")]);
    check_keys(b"\x1b[200~/quit\r\n\x1b[A\rx\x1b[201~y", &[pasted("/quit\n\x1b[A\nx"), typed("y")]);
    check_keys(b"\x1b[200~\x1b[201~y", &[typed("y")]);
}

#[test]
fn what_is_never_completed_stops_nothing() {
    for (start, flushed) in [(&b"\x1b["[..], &[][..]), (b"\xc3", &[]), (b"\x1b", &[Key::Escape]), (b"\x1b[1;", &[])] {
        let mut decoder = KeyDecoder::default();
        assert_eq!(decoder.decode(start), []);
        assert!(decoder.is_incomplete());
        assert_eq!(decoder.flush(), flushed, "{start:?}");
        assert!(!decoder.is_incomplete());
        assert_eq!(decoder.decode(b"a"), [typed("a")]);
        // The same without a silence: Ctrl-C is never swallowed.
        let mut decoder = KeyDecoder::default();
        decoder.decode(start);
        assert_eq!(decoder.decode(b"\x03").last(), Some(&Key::Ctrl('c')), "{start:?}");
    }
    assert_eq!(KeyDecoder::default().decode(b"\xff\xfea\xc3"), [typed("a")]);
    assert_eq!(KeyDecoder::default().decode(b"\xc3\rb"), [Key::Enter, typed("b")]);
}

#[test]
fn a_paste_without_its_end_is_delivered_and_a_key_ends_it() {
    let mut decoder = KeyDecoder::default();
    assert_eq!(decoder.decode(b"\x1b[200~abc\r"), []);
    assert!(decoder.is_incomplete());
    assert_eq!(decoder.flush(), [pasted("abc\n")]);
    assert!(!decoder.is_incomplete());
    // A slow terminal goes on with the paste.
    assert_eq!(decoder.decode(b"a long line\rand its end\x1b[201~x"), [pasted("a long line\nand its end"), typed("x")]);
    decoder.decode(b"\x1b[200~abc");
    decoder.flush();
    assert_eq!(decoder.decode(b"\x03"), [Key::Ctrl('c')]);
    decoder.decode(b"\x1b[200~abc");
    decoder.flush();
    assert_eq!(decoder.decode(PASTE_END), []);
    assert_eq!(decoder.decode(b"/quit\r"), [typed("/quit"), Key::Enter]);
}

#[test]
fn a_paste_is_limited() {
    let mut decoder = KeyDecoder::default();
    decoder.decode(b"\x1b[200~");
    for _ in 0..5 {
        decoder.decode(&vec![b'x'; 1 << 20]);
    }
    assert!(decoder.bytes.len() + decoder.paste.as_ref().unwrap().text.len() < MAX_PASTE);
    assert_eq!(decoder.decode(b"\x1b[201~y"), [Key::PasteTooLong, typed("y")]);
}
