//! What each connection gets of a batch, and what of it is shared.

use bytes::Buf;
use chat_proto::{MAX_LINE, Name, Text};

use super::*;
use crate::hub::outbox::Answer;

const ANN: ConnId = ConnId::new(1);
const BOB: ConnId = ConnId::new(2);
const EVE: ConnId = ConnId::new(3);

fn from(name: &str, text: &str) -> ServerMessage {
    ServerMessage::From { name: Name::new(name).unwrap(), text: Text::new(text).unwrap() }
}

/// Ann says two things, Bob enters, Ann says one more, Bob leaves with `BYE`.
fn draft() -> Draft {
    let mut draft = Draft::default();
    draft.push(&from("ann", "1"), ANN, Instead::Ok);
    draft.push(&from("ann", "2"), ANN, Instead::Ok);
    draft.push(&ServerMessage::Join(Name::new("bob").unwrap()), BOB, Instead::Entered(Session::Named));
    draft.push(&from("ann", "3"), ANN, Instead::Ok);
    draft.push(&ServerMessage::Logout(Name::new("bob").unwrap()), BOB, Instead::Bye);
    draft
}

#[track_caller]
fn check(batch: &Arc<Batch>, conn: ConnId, replies: &[Reply], lines: &[&str], last: bool) {
    for terminator in [Terminator::CrLf, Terminator::Lf] {
        let text: String = lines.iter().flat_map(|line| [*line, terminator.as_str()]).collect();
        let messages = lines.iter().filter(|line| line.starts_with("FROM")).count();
        let mut pieces = Pieces::default();
        assert_eq!(batch.view(conn, replies, terminator, &mut pieces), View { messages, last });
        assert_eq!(pieces.copy_to_bytes(pieces.remaining()), text);
    }
}

fn taken(mut draft: Draft) -> Arc<Batch> {
    Arc::new(draft.take().unwrap())
}

#[test]
fn everybody_sees_one_order_and_their_own_lines_replaced() {
    let batch = taken(draft());
    let all = ["FROM ann MSG 1", "FROM ann MSG 2", "JOIN bob", "FROM ann MSG 3", "LOGOUT bob"];
    check(&batch, EVE, &[], &all, false);
    check(&batch, ANN, &[], &["OK", "OK", "JOIN bob", "OK", "LOGOUT bob"], false);
    check(&batch, BOB, &[], &["NAME OK", "WELCOME", "FROM ann MSG 3", "BYE"], true);
}

/// Where the bytes are that a connection gets.
fn slices(batch: &Arc<Batch>, conn: ConnId, terminator: Terminator) -> Vec<(*const u8, usize)> {
    let mut pieces = Pieces::default();
    batch.view(conn, &[], terminator, &mut pieces);
    let mut slices = [std::io::IoSlice::new(&[]); 8];
    let count = pieces.chunks_vectored(&mut slices);
    slices[..count].iter().map(|slice| (slice.as_ptr(), slice.len())).collect()
}

#[test]
fn lines_that_nobody_replaces_are_shared_and_not_copied() {
    let long = "x".repeat(2_000);
    let mut draft = draft();
    draft.push(&from("bob", &long), BOB, Instead::Ok);
    draft.push(&from("ann", "4"), ANN, Instead::Ok);
    draft.push(&from("bob", &long), BOB, Instead::Ok);
    let batch = taken(draft);
    for terminator in [Terminator::CrLf, Terminator::Lf] {
        let eve = slices(&batch, EVE, terminator);
        assert_eq!((eve.len(), &eve), (1, &slices(&batch, EVE, terminator)));
        // What ann gets are her own few bytes, and between them those that eve gets too.
        let shared = eve[0].0 as usize..eve[0].0 as usize + eve[0].1;
        let (theirs, own): (Vec<_>, Vec<_>) =
            slices(&batch, ANN, terminator).into_iter().partition(|(at, _)| shared.contains(&(*at as usize)));
        assert_eq!((theirs.len(), own.len()), (2, 2));
        assert!(own.iter().map(|(_, length)| length).sum::<usize>() < 100);
    }
}

/// The ring's bound is the batches' bound times their number.
#[test]
fn a_batch_is_bounded_with_all_that_belongs_to_it() {
    for text in ["x".to_owned(), "x".repeat(100), "\u{1f600}".repeat(2_000)] {
        let mut draft = Draft::default();
        while !draft.is_full() {
            draft.push(&from("a", &text), ANN, Instead::Ok);
        }
        let batch = draft.take().unwrap();
        let weight = batch.lines.len() + size_of_val(&*batch.spans);
        assert!((LINES..=WEIGHT + MAX_LINE).contains(&weight), "{weight}");
        assert!(batch.lf().len() <= LINES + MAX_LINE);
    }
}

#[test]
fn replies_stand_at_their_places() {
    let mut draft = Draft { number: 7, ..Draft::default() };
    let reply = |place, answer| Reply { place, answer };
    let at_start = draft.place();
    draft.push(&from("ann", "1"), ANN, Instead::Ok);
    let between = draft.place();
    draft.push(&from("bob", "2"), BOB, Instead::Ok);
    let batch = taken(draft);
    let replies = [
        reply(Place { batch: 3, offset: 9 }, Answer::Ping),
        reply(at_start, Answer::BadReq),
        reply(between, Answer::Pong),
        reply(batch.end(), Answer::BadReq),
    ];
    check(&batch, ANN, &replies, &["PING", "BAD REQ", "OK", "PONG", "FROM bob MSG 2", "BAD REQ"], false);
    check(&batch, BOB, &replies, &["PING", "BAD REQ", "FROM ann MSG 1", "PONG", "OK", "BAD REQ"], false);
    check(&batch, EVE, &replies[2..3], &["FROM ann MSG 1", "PONG", "FROM bob MSG 2"], false);
}

#[test]
fn an_empty_draft_is_no_batch_and_takes_no_number() {
    let mut draft = Draft::default();
    assert!(draft.take().is_none());
    assert_eq!(draft.place(), Place::default());
}
