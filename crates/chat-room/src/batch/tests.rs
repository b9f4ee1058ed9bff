//! What each member gets of a batch, and which of its bytes are shared.

use bytes::Buf;
use chat_proto::{MAX_LINE, Name, Text};

use super::*;
use crate::reply::Request;

const ANN: ConnId = ConnId::new(1);
const BOB: ConnId = ConnId::new(2);
const EVE: ConnId = ConnId::new(3);

fn from(name: &str, text: &str) -> ServerMessage {
    ServerMessage::From { name: Name::new(name).unwrap(), text: Text::new(text).unwrap() }
}

/// Ann says two things, Bob enters, Ann says one more, Bob leaves with `BYE`.
fn draft() -> Draft {
    let mut draft = Draft::default();
    draft.push(&from("ann", "1"), ANN, SenderView::Ok);
    draft.push(&from("ann", "2"), ANN, SenderView::Ok);
    draft.push(&ServerMessage::Join(Name::new("bob").unwrap()), BOB, SenderView::Entered(Session::Named));
    draft.push(&from("ann", "3"), ANN, SenderView::Ok);
    draft.push(&ServerMessage::Logout(Name::new("bob").unwrap()), BOB, SenderView::Bye);
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
fn each_member_sees_one_order_with_its_own_lines_replaced() {
    let batch = taken(draft());
    let all = ["FROM ann MSG 1", "FROM ann MSG 2", "JOIN bob", "FROM ann MSG 3", "LOGOUT bob"];
    check(&batch, EVE, &[], &all, false);
    check(&batch, ANN, &[], &["OK", "OK", "JOIN bob", "OK", "LOGOUT bob"], false);
    check(&batch, BOB, &[], &["NAME OK", "WELCOME", "FROM ann MSG 3", "BYE"], true);
}

/// The slices that a member gets.
fn slices(batch: &Arc<Batch>, conn: ConnId, terminator: Terminator) -> Vec<(*const u8, usize)> {
    let mut pieces = Pieces::default();
    batch.view(conn, &[], terminator, &mut pieces);
    let mut slices = [std::io::IoSlice::new(&[]); 8];
    let count = pieces.chunks_vectored(&mut slices);
    slices[..count].iter().map(|slice| (slice.as_ptr(), slice.len())).collect()
}

#[test]
fn shared_lines_are_not_copied() {
    let long = "x".repeat(2_000);
    let mut draft = draft();
    draft.push(&from("bob", &long), BOB, SenderView::Ok);
    draft.push(&from("ann", "4"), ANN, SenderView::Ok);
    draft.push(&from("bob", &long), BOB, SenderView::Ok);
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

/// A bound on the number of batches is a bound on memory.
#[test]
fn a_batch_is_bounded_with_its_spans() {
    for text in ["x".to_owned(), "x".repeat(100), "\u{1f600}".repeat(2_000)] {
        let mut draft = Draft::default();
        while !draft.is_full() {
            draft.push(&from("a", &text), ANN, SenderView::Ok);
        }
        let batch = draft.take().unwrap();
        let weight = batch.lines.len() + size_of_val(&*batch.spans);
        assert!((MAX_LINES..=MAX_WEIGHT + MAX_LINE).contains(&weight), "{weight}");
        assert!(batch.lf().len() <= MAX_LINES + MAX_LINE);
    }
}

#[test]
fn replies_stand_at_their_positions() {
    let mut draft = Draft { number: 7, ..Draft::default() };
    let reply = |request, position| Reply::to(request, position, || unreachable!("no roster"));
    let at_start = draft.position();
    draft.push(&from("ann", "1"), ANN, SenderView::Ok);
    let between = draft.position();
    draft.push(&from("bob", "2"), BOB, SenderView::Ok);
    let batch = taken(draft);
    let replies = [
        Reply::ping(Position { batch: 3, offset: 9 }),
        reply(Request::Refuse, at_start),
        reply(Request::Ping, between),
        reply(Request::Refuse, batch.end()),
    ];
    check(&batch, ANN, &replies, &["PING", "BAD REQ", "OK", "PONG", "FROM bob MSG 2", "BAD REQ"], false);
    check(&batch, BOB, &replies, &["PING", "BAD REQ", "FROM ann MSG 1", "PONG", "OK", "BAD REQ"], false);
    check(&batch, EVE, &replies[2..3], &["FROM ann MSG 1", "PONG", "FROM bob MSG 2"], false);
}

#[test]
fn an_empty_draft_makes_no_batch_and_uses_no_number() {
    let mut draft = Draft::default();
    assert!(draft.take().is_none());
    assert_eq!(draft.position(), Position::default());
}
