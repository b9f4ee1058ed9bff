//! A batch: lines encoded once and shared by everybody, and the few places where somebody gets something else.

use std::{ops::Range, sync::OnceLock};

use bytes::{Bytes, BytesMut};
use chat_proto::{ServerMessage, Session, Terminator};

use super::Reply;
use crate::peer::ConnId;

/// A point in the total order: before the octet `offset` of the batch `batch`, after all earlier batches.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(crate) struct Place {
    pub(crate) batch: u64,
    pub(crate) offset: usize,
}

/// What one connection gets in place of a line that everybody else gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Instead {
    /// Its own message: `OK` (clause 5.2).
    Ok,
    /// Its own `JOIN`: its stream begins here (clause 5.4).
    Entered(Session),
    /// Its own `LOGOUT`, which it asked for: `BYE`, and its stream ends.
    Bye,
    /// Its own `LOGOUT`, which it did not ask for: its stream ends.
    Nothing,
}

/// A batch is closed at so many octets of lines; one more line may go over it.
const LINES: usize = 24_576;
/// And at so many octets in all: short lines weigh less than their spans.
const WEIGHT: usize = 32_768;

/// Offsets in a batch, which is short: spans are most of what short lines weigh.
#[derive(Clone, Copy, Debug)]
struct Span {
    conn: ConnId,
    start: u32,
    end: u32,
    instead: Instead,
}

impl Span {
    fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// Lines back to back, each ended by CRLF.
#[derive(Debug)]
pub(crate) struct Batch {
    number: u64,
    /// Exactly as many octets as there are: the ring's bound counts them.
    lines: Box<[u8]>,
    /// Ordered by connection, and for each by place.
    spans: Box<[Span]>,
    /// Messages among the lines.
    messages: usize,
    /// The same lines ended by LF, once somebody needs them.
    bare: OnceLock<Bytes>,
}

/// A batch as one connection gets it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct View {
    /// `None`: the batch's lines as they are.
    pub(crate) octets: Option<Bytes>,
    /// Messages of others among them.
    pub(crate) messages: usize,
    /// Whether its stream ends here.
    pub(crate) last: bool,
}

impl Batch {
    /// The lines as most get them.
    pub(crate) fn lines(&self) -> &[u8] {
        &self.lines
    }

    /// The point after this batch.
    pub(crate) fn end(&self) -> Place {
        Place { batch: self.number + 1, offset: 0 }
    }

    /// What `conn` gets: the shared lines as they are, unless some of them are its own or replies stand among them.
    /// The replies are those whose place is not after [`Batch::end`], in their order.
    pub(crate) fn view(&self, conn: ConnId, replies: &[Reply], terminator: Terminator) -> View {
        let own = self.spans_of(conn);
        if own.is_empty() && replies.is_empty() {
            return View { octets: self.shared(terminator), messages: self.messages, last: false };
        }
        let (octets, last) = self.merge(own, replies);
        let octets = if terminator == Terminator::Lf { bare(&octets) } else { octets.freeze() };
        View { octets: Some(octets), messages: self.messages_beside(own), last }
    }

    /// How many messages of others are left for the connection whose lines these are.
    fn messages_beside(&self, own: &[Span]) -> usize {
        if own.iter().all(|span| span.instead == Instead::Ok) {
            return self.messages - own.len();
        }
        // Those between its JOIN and its LOGOUT.
        let entered = own.iter().find(|span| matches!(span.instead, Instead::Entered(_))).map_or(0, |span| span.end);
        let left = own.iter().find(|span| matches!(span.instead, Instead::Bye | Instead::Nothing));
        let stay = entered..left.map_or(u32::MAX, |span| span.start);
        let heard = |span: &&Span| span.instead == Instead::Ok && stay.contains(&span.start);
        self.spans.iter().filter(heard).count() - own.iter().filter(heard).count()
    }

    fn spans_of(&self, conn: ConnId) -> &[Span] {
        let start = self.spans.partition_point(|span| span.conn < conn);
        let own = &self.spans[start..];
        if own.first().is_none_or(|span| span.conn != conn) {
            return &[]; // As nearly always.
        }
        &own[..own.partition_point(|span| span.conn == conn)]
    }

    fn shared(&self, terminator: Terminator) -> Option<Bytes> {
        match terminator {
            Terminator::CrLf => None,
            Terminator::Lf => Some(self.bare.get_or_init(|| bare(&self.lines)).clone()),
        }
    }

    fn merge(&self, own: &[Span], replies: &[Reply]) -> (BytesMut, bool) {
        let mut merged = BytesMut::with_capacity(self.lines.len() + 64);
        let mut replies = replies.iter().peekable();
        let mut written = 0;
        for span in own {
            let Range { start, end } = span.range();
            while let Some(reply) = replies.next_if(|reply| self.offset(reply) <= start) {
                merged.extend_from_slice(&self.lines[written..self.offset(reply)]);
                written = self.offset(reply);
                reply.write(&mut merged);
            }
            merged.extend_from_slice(&self.lines[written..start]);
            written = end;
            match span.instead {
                Instead::Ok => put(&mut merged, &ServerMessage::Ok),
                Instead::Entered(Session::Plain) => {}
                Instead::Entered(Session::Named) => {
                    put(&mut merged, &ServerMessage::NameOk);
                    put(&mut merged, &ServerMessage::Welcome);
                }
                Instead::Bye => {
                    put(&mut merged, &ServerMessage::Bye);
                    return (merged, true);
                }
                Instead::Nothing => return (merged, true),
            }
        }
        for reply in replies {
            let offset = self.offset(reply);
            merged.extend_from_slice(&self.lines[written..offset]);
            written = offset;
            reply.write(&mut merged);
        }
        merged.extend_from_slice(&self.lines[written..]);
        (merged, false)
    }

    /// Where in this batch a reply stands.
    fn offset(&self, reply: &Reply) -> usize {
        match reply.place.batch.cmp(&self.number) {
            std::cmp::Ordering::Less => 0,
            std::cmp::Ordering::Equal => reply.place.offset,
            std::cmp::Ordering::Greater => self.lines.len(),
        }
    }
}

/// Adds a line, ended by CRLF.
pub(super) fn put(out: &mut BytesMut, message: &ServerMessage) {
    message.write(out).expect("BytesMut grows");
    out.extend_from_slice(Terminator::CrLf.as_str().as_bytes());
}

/// These replies and then these words, for one connection.
pub(crate) fn encode(replies: &[Reply], words: &[ServerMessage], terminator: Terminator) -> Bytes {
    let mut lines = BytesMut::new();
    for reply in replies {
        reply.write(&mut lines);
    }
    for word in words {
        put(&mut lines, word);
    }
    if terminator == Terminator::Lf { bare(&lines) } else { lines.freeze() }
}

/// The same lines, ended by LF. Nothing else in them is a CR: no text or name has one (clause 1.5).
fn bare(lines: &[u8]) -> Bytes {
    let mut bare = BytesMut::with_capacity(lines.len());
    for piece in lines.split(|&octet| octet == b'\r') {
        bare.extend_from_slice(piece);
    }
    bare.freeze()
}

/// A batch that is still open.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    number: u64,
    lines: BytesMut,
    spans: Vec<Span>,
    messages: usize,
}

impl Draft {
    /// The point after all that has been said so far.
    pub(crate) fn place(&self) -> Place {
        Place { batch: self.number, offset: self.lines.len() }
    }

    /// Whether it should be taken before anything is added.
    pub(crate) fn is_full(&self) -> bool {
        let weight = self.lines.len() + self.spans.len() * size_of::<Span>();
        self.lines.len() >= LINES || weight >= WEIGHT
    }

    /// Adds a line for everybody; `conn` gets something else.
    pub(crate) fn push(&mut self, message: &ServerMessage, conn: ConnId, instead: Instead) {
        // What is before its JOIN is not for the one who enters.
        let start = if matches!(instead, Instead::Entered(_)) { 0 } else { self.offset() };
        put(&mut self.lines, message);
        self.messages += usize::from(instead == Instead::Ok);
        self.spans.push(Span { conn, start, end: self.offset(), instead });
    }

    fn offset(&self) -> u32 {
        u32::try_from(self.lines.len()).expect("a batch is closed long before")
    }

    /// Closes the batch and opens the next; `None` if nothing is in it.
    pub(crate) fn take(&mut self) -> Option<Batch> {
        if self.lines.is_empty() {
            return None;
        }
        let mut spans = std::mem::take(&mut self.spans);
        spans.sort_by_key(|span| span.conn);
        let number = self.number;
        self.number += 1;
        let messages = std::mem::take(&mut self.messages);
        let (lines, spans) = (self.lines.as_ref().into(), spans.into_boxed_slice());
        self.lines.clear();
        Some(Batch { number, lines, spans, messages, bare: OnceLock::new() })
    }
}

#[cfg(test)]
mod tests {
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
    fn check(batch: &Batch, conn: ConnId, replies: &[Reply], lines: &[&str], last: bool) {
        for terminator in [Terminator::CrLf, Terminator::Lf] {
            let octets: String = lines.iter().flat_map(|line| [*line, terminator.as_str()]).collect();
            let messages = lines.iter().filter(|line| line.starts_with("FROM")).count();
            let view = batch.view(conn, replies, terminator);
            assert_eq!(view.octets.as_deref().unwrap_or(batch.lines()), octets.as_bytes());
            assert_eq!((view.messages, view.last), (messages, last));
        }
    }

    #[test]
    fn everybody_sees_one_order_and_their_own_lines_replaced() {
        let batch = draft().take().unwrap();
        let all = ["FROM ann MSG 1", "FROM ann MSG 2", "JOIN bob", "FROM ann MSG 3", "LOGOUT bob"];
        check(&batch, EVE, &[], &all, false);
        check(&batch, ANN, &[], &["OK", "OK", "JOIN bob", "OK", "LOGOUT bob"], false);
        check(&batch, BOB, &[], &["NAME OK", "WELCOME", "FROM ann MSG 3", "BYE"], true);
    }

    #[test]
    fn lines_that_nobody_replaces_are_shared_and_not_copied() {
        let batch = draft().take().unwrap();
        assert_eq!(batch.view(EVE, &[], Terminator::CrLf).octets, None);
        let bare = [(); 2].map(|()| batch.view(EVE, &[], Terminator::Lf).octets.unwrap().as_ptr());
        assert_eq!(bare[0], bare[1]);
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
            assert!(batch.shared(Terminator::Lf).unwrap().len() <= LINES + MAX_LINE);
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
        let batch = draft.take().unwrap();
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
}
