//! Tests of the annotator.

use super::{client_lines::MAX_PENDING_REPLIES, *};

/// Annotates lines of the client (`>`) and of the server (`<`), and checks which clauses they break.
#[track_caller]
fn breaks(lines: &[&str], clauses: &[&str]) {
    let mut annotator = Annotator::default();
    let notes = lines.iter().map(|line| match line.strip_prefix("> ") {
        Some(line) => annotator.client_line(line.as_bytes()),
        None => annotator.server_line(&line.as_bytes()[2..]),
    });
    let broken: Vec<_> = notes.filter(|note| note.wrong).map(|note| note.clause).collect();
    assert_eq!(broken, clauses, "{lines:?}");
}

const LOGIN: [&str; 3] = ["> PROT 0.1 CONNECT USER bob\r\n", "< NAME OK\r\n", "< WELCOME\r\n"];

#[track_caller]
fn breaks_after_login(lines: &[&str], clauses: &[&str]) {
    breaks(&[&LOGIN, lines].concat(), clauses);
}

#[test]
fn correct_sessions_break_no_clause() {
    let talk = [
        "> MSG a\r\n",
        "> PING\r\n",
        "< JOIN eve\r\n",
        "< OK\r\n",
        "< PONG\r\n",
        "< NOTICE hi\r\n",
        "< PING\r\n",
        "> PONG\r\n",
    ];
    breaks_after_login(&talk, &[]);
    let roster =
        ["> REQ CLIENTS\r\n", "< LIST CLIENTS 2 bob\r\n", "< LIST CLIENTS 2 eve\r\n", "> BYE\r\n", "< BYE\r\n"];
    breaks_after_login(&roster, &[]);
    breaks(&["> \n", "< NOTICE hi\n", "> hi\n", "< OK\n", "> BYE\n", "< BYE\n"], &[]);
    let refused =
        ["> PROT 0.1 CONNECT NEW\r\n", "< NAME REQ\r\n", "> NAME bob\r\n", "< NAME FAILURE\r\n", "< NAME REQ\r\n"];
    breaks(&[&refused[..], &["> NAME rob\r\n", "< NAME OK\r\n", "< WELCOME\r\n"]].concat(), &[]);
}

#[test]
fn wrong_lines_break_their_clause() {
    breaks(&["< HELLO\r\n"], &["2.1"]);
    breaks(&["> hi\n", "< OK\r\n"], &["1.2"]);
    breaks(&["> hi\r\n", "< OK\r\n", "< PING\r\n", "< OK\r\n"], &["4.5", "5.1"]);
    breaks_after_login(&["> MSG a\r\n", "> PING\r\n", "< PONG\r\n"], &["5.3"]);
    breaks_after_login(&["> MSG a\r\n", "< OK\r\n", "< FROM BOB MSG a\r\n"], &["5.1"]);
    breaks(&["> PROT 0.1 CONNECT NEW\r\n", "< NOTICE hi\r\n", "< NAME REQ\r\n"], &["7.8"]);
    breaks_after_login(&["< NOTICE\r\n"], &["1.5"]);
    breaks_after_login(&["> say a\r\n", "< OK\r\n"], &["3.9", "3.9"]);
    breaks_after_login(&["< FROM eve MSG \u{1b}\r\n", "< GREETINGS\r\n"], &["1.5", "7.1"]);
}

#[test]
fn the_line_after_a_refused_one_is_not_blamed() {
    let long = format!("> {}\r\n", "x".repeat(9_000));
    breaks_after_login(&[&long, "< BAD REQ\r\n", "> MSG a\r\n", "< OK\r\n"], &["1.3"]);
    let http = ["> GET / HTTP/1.1\r\n", "> Host: example.org\r\n", "< BAD REQ\r\n"];
    breaks(&http, &["2.4"]);
    breaks(&["> \x16\x03\x01", "< BAD REQ\r\n"], &["2.4"]);
    breaks(&["> PROT 0.1 CONNECT NEW\r\n", "< NAME REQ\r\n", "> PING\r\n", "< BAD REQ\r\n"], &["3.4"]);
}

#[test]
fn a_reply_may_come_before_the_end_of_its_line() {
    let mut annotator = Annotator::default();
    annotator.client_line(b"hi\r\n");
    annotator.server_line(b"OK\r\n");
    annotator.client_bytes(&[b'x'; 8_192]);
    assert!(annotator.is_refused_early() && annotator.note_of(&[b'x'; 8_192]).wrong);
    assert!(!annotator.server_line(b"BAD REQ\r\n").wrong);
    annotator.client_bytes(b"xx\r\nhi\r\n");
    assert!(!annotator.note_of(b"xx\r\n").wrong);
    assert_eq!(annotator.note_of(b"hi\r\n").what, "a message");
    assert!(!annotator.server_line(b"OK\r\n").wrong);
}

#[test]
fn a_second_logout_is_found() {
    breaks_after_login(&["< JOIN eve\r\n", "< LOGOUT eve\r\n", "< LOGOUT eve\r\n"], &["6.4"]);
    breaks_after_login(&["< LOGOUT eve\r\n", "< JOIN eve\r\n", "< JOIN EVE\r\n"], &["3.2"]);
    breaks_after_login(&["< LOGOUT eve\r\n", "< FROM eve MSG a\r\n"], &["5.2"]);
}

#[test]
fn pending_replies_are_bounded_and_later_replies_not_checked() {
    let mut annotator = Annotator::default();
    for _ in 0..2 * MAX_PENDING_REPLIES {
        annotator.client_line(b"hi\n");
        assert!(annotator.pending.len() <= MAX_PENDING_REPLIES);
    }
    assert!(!annotator.server_line(b"BAD REQ\n").wrong && annotator.pending.capacity() == 0);
}
