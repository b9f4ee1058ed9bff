//! Tests of the view of each member, and of the bytes that views share.

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

/// Ann sends two messages, Bob joins, Ann sends a third message, Bob leaves with `BYE`.
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
fn check_view(batch: &Arc<Batch>, conn: ConnId, replies: &[Reply], lines: &[&str], last: bool) {
    for terminator in [Terminator::CrLf, Terminator::Lf] {
        let text: String = lines.iter().flat_map(|line| [*line, terminator.as_str()]).collect();
        let messages = lines.iter().filter(|line| line.starts_with("FROM")).count();
        let mut pieces = Pieces::default();
        assert_eq!(batch.view(conn, replies, terminator, &mut pieces), View { messages, last });
        assert_eq!(pieces.copy_to_bytes(pieces.remaining()), text);
    }
}

fn take(mut draft: Draft) -> Arc<Batch> {
    Arc::new(draft.take().unwrap())
}

#[test]
fn each_member_sees_one_order_with_its_own_lines_replaced() {
    let batch = take(draft());
    let all = ["FROM ann MSG 1", "FROM ann MSG 2", "JOIN bob", "FROM ann MSG 3", "LOGOUT bob"];
    check_view(&batch, EVE, &[], &all, false);
    check_view(&batch, ANN, &[], &["OK", "OK", "JOIN bob", "OK", "LOGOUT bob"], false);
    check_view(&batch, BOB, &[], &["NAME OK", "WELCOME", "FROM ann MSG 3", "BYE"], true);
}

/// Addresses and lengths of the slices in the view of a member.
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
    let batch = take(draft);
    for terminator in [Terminator::CrLf, Terminator::Lf] {
        let eve = slices(&batch, EVE, terminator);
        assert_eq!((eve.len(), &eve), (1, &slices(&batch, EVE, terminator)));
        // Ann receives short slices of her own, and slices of the memory that Eve receives.
        let shared = eve[0].0 as usize..eve[0].0 as usize + eve[0].1;
        let (common, own): (Vec<_>, Vec<_>) =
            slices(&batch, ANN, terminator).into_iter().partition(|(start, _)| shared.contains(&(*start as usize)));
        assert_eq!((common.len(), own.len()), (2, 2));
        assert!(own.iter().map(|(_, length)| length).sum::<usize>() < 100);
    }
}

/// So a bound on the number of batches is a bound on memory.
#[test]
fn lines_and_spans_of_a_batch_are_bounded() {
    for text in ["x".to_owned(), "x".repeat(100), "\u{1f600}".repeat(2_000)] {
        let mut draft = Draft::default();
        while !draft.is_full() {
            draft.push(&from("a", &text), ANN, SenderView::Ok);
        }
        let batch = draft.take().unwrap();
        let total = batch.lines.len() + size_of_val(&*batch.spans);
        assert!((FULL_LINE_BYTES..=FULL_TOTAL_BYTES + MAX_LINE).contains(&total), "{total}");
        assert!(batch.lf().len() <= FULL_LINE_BYTES + MAX_LINE);
    }
}

#[test]
fn replies_are_inserted_at_their_positions() {
    let mut draft = Draft { number: 7, ..Draft::default() };
    let reply = |request, position| Reply::new(request, position, || unreachable!("no roster"));
    let at_start = draft.position();
    draft.push(&from("ann", "1"), ANN, SenderView::Ok);
    let between = draft.position();
    draft.push(&from("bob", "2"), BOB, SenderView::Ok);
    let batch = take(draft);
    let replies = [
        Reply::ping(Position { batch: 3, offset: 9 }),
        reply(Request::Refuse, at_start),
        reply(Request::Ping, between),
        reply(Request::Refuse, batch.end()),
    ];
    check_view(&batch, ANN, &replies, &["PING", "BAD REQ", "OK", "PONG", "FROM bob MSG 2", "BAD REQ"], false);
    check_view(&batch, BOB, &replies, &["PING", "BAD REQ", "FROM ann MSG 1", "PONG", "OK", "BAD REQ"], false);
    check_view(&batch, EVE, &replies[2..3], &["FROM ann MSG 1", "PONG", "FROM bob MSG 2"], false);
}

#[test]
fn an_empty_draft_creates_no_batch_and_uses_no_number() {
    let mut draft = Draft::default();
    assert!(draft.take().is_none());
    assert_eq!(draft.position(), Position::default());
}
