//! A batch: lines encoded once and shared by all members, and the few places where one member gets something else.

use std::{
    ops::Range,
    sync::{Arc, OnceLock},
};

use bytes::{Bytes, BytesMut};
use chat_proto::{ServerMessage, Session, Terminator};

use crate::{conn_id::ConnId, pieces::Pieces, reply::Reply};

/// A point in the total order: before the byte `offset` of batch `batch`, after all earlier batches.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Position {
    /// The number of the batch, counted from 0.
    pub batch: u64,
    /// Bytes of that batch that stand before the point, lines ended by CRLF.
    pub offset: usize,
}

/// What the member who caused a line gets in place of that line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SenderView {
    /// Its own message: `OK` (clause 5.2).
    Ok,
    /// Its own `JOIN`: its stream begins here (clause 5.4).
    Entered(Session),
    /// Its own `LOGOUT` after `BYE`: `BYE`, and its stream ends (clause 3.8).
    Bye,
    /// Its own `LOGOUT` without a `BYE`: its stream ends.
    Ended,
}

/// A batch is closed at this many bytes of lines; one more line may go over it.
const MAX_LINES: usize = 24_576;
/// A batch is closed at this many bytes of lines and spans together: short lines weigh less than their spans.
const MAX_WEIGHT: usize = 32_768;

/// The range of one member's own line. Offsets are short, because spans are most of what short lines weigh.
#[derive(Clone, Copy, Debug)]
struct Span {
    conn: ConnId,
    start: u32,
    end: u32,
    view: SenderView,
}

impl Span {
    fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// Everything that a [`Room`](crate::Room) placed at one time: lines one after the other, each ended by CRLF.
#[derive(Debug)]
pub struct Batch {
    number: u64,
    /// With no spare capacity, so that a bound on batches is a bound on memory.
    lines: Bytes,
    /// Sorted by connection, and for each connection by position.
    spans: Box<[Span]>,
    /// Messages among the lines.
    messages: usize,
    /// The same lines ended by LF, made when first needed.
    lf: OnceLock<Bytes>,
}

/// What one member gets of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct View {
    /// Messages of other members among its lines.
    pub messages: usize,
    /// Whether the member's stream ends with this batch.
    pub last: bool,
}

impl Batch {
    /// The lines as most members get them.
    pub fn lines(&self) -> &[u8] {
        &self.lines
    }

    /// The position after this batch.
    pub fn end(&self) -> Position {
        Position { batch: self.number + 1, offset: 0 }
    }

    /// Adds the bytes for the member `conn`: the shared lines as they are, unless some of them are its own or replies
    /// stand among them. `replies` are those whose position is not after [`Batch::end`], in their order.
    pub fn view(self: &Arc<Self>, conn: ConnId, replies: &[Reply], terminator: Terminator, out: &mut Pieces) -> View {
        let own = self.spans_of(conn);
        if own.is_empty() && replies.is_empty() {
            match terminator {
                Terminator::CrLf => out.push_batch(Arc::clone(self)),
                Terminator::Lf => out.push_shared(self.lf().clone()),
            }
            out.close();
            return View { messages: self.messages, last: false };
        }
        let last = Merge::new(self, terminator, out).run(own, replies);
        View { messages: self.messages_beside(own), last }
    }

    /// Messages of other members that the owner of these spans gets.
    fn messages_beside(&self, own: &[Span]) -> usize {
        if own.iter().all(|span| span.view == SenderView::Ok) {
            return self.messages - own.len();
        }
        // Only those between its JOIN and its LOGOUT.
        let entered = own.iter().find(|span| matches!(span.view, SenderView::Entered(_))).map_or(0, |span| span.end);
        let left = own.iter().find(|span| matches!(span.view, SenderView::Bye | SenderView::Ended));
        let stay = entered..left.map_or(u32::MAX, |span| span.start);
        let heard = |span: &&Span| span.view == SenderView::Ok && stay.contains(&span.start);
        self.spans.iter().filter(heard).count() - own.iter().filter(heard).count()
    }

    fn spans_of(&self, conn: ConnId) -> &[Span] {
        let start = self.spans.partition_point(|span| span.conn < conn);
        let own = &self.spans[start..];
        if own.first().is_none_or(|span| span.conn != conn) {
            return &[]; // Most members have no span in a batch.
        }
        &own[..own.partition_point(|span| span.conn == conn)]
    }

    /// The lines ended by LF.
    fn lf(&self) -> &Bytes {
        self.lf.get_or_init(|| to_lf(&self.lines))
    }

    /// The offset at which a reply stands in this batch.
    fn offset(&self, reply: &Reply) -> usize {
        let Position { batch, offset } = reply.position();
        match batch.cmp(&self.number) {
            std::cmp::Ordering::Less => 0,
            std::cmp::Ordering::Equal => offset,
            std::cmp::Ordering::Greater => self.lines.len(),
        }
    }
}

/// Puts a batch together as one member gets it: shared slices of the lines, with the member's own bytes between them.
struct Merge<'a> {
    batch: &'a Batch,
    terminator: Terminator,
    /// The batch's lines with this terminator.
    lines: Bytes,
    /// How far it has come: offset in the batch, and the same point in `lines`.
    at: usize,
    at_lines: usize,
    out: &'a mut Pieces,
}

impl<'a> Merge<'a> {
    fn new(batch: &'a Batch, terminator: Terminator, out: &'a mut Pieces) -> Self {
        let lines = match terminator {
            Terminator::CrLf => batch.lines.clone(),
            Terminator::Lf => batch.lf().clone(),
        };
        Self { batch, terminator, lines, at: 0, at_lines: 0, out }
    }

    /// Returns whether the member's stream ends with this batch.
    fn run(&mut self, own: &[Span], replies: &[Reply]) -> bool {
        let mut replies = replies.iter().peekable();
        for span in own {
            let Range { start, end } = span.range();
            while let Some(reply) = replies.next_if(|reply| self.batch.offset(reply) <= start) {
                self.reply(reply);
            }
            self.share(start);
            self.skip(end);
            let (own_lines, last): (&[ServerMessage], _) = match span.view {
                SenderView::Ok => (&[ServerMessage::Ok], false),
                SenderView::Entered(Session::Plain) => (&[], false),
                SenderView::Entered(Session::Named) => (&[ServerMessage::NameOk, ServerMessage::Welcome], false),
                SenderView::Bye => (&[ServerMessage::Bye], true),
                SenderView::Ended => (&[], true),
            };
            for message in own_lines {
                self.out.push(message, self.terminator);
            }
            if last {
                self.out.close();
                return true;
            }
        }
        replies.for_each(|reply| self.reply(reply));
        self.share(self.batch.lines.len());
        self.out.close();
        false
    }

    fn reply(&mut self, reply: &Reply) {
        self.share(self.batch.offset(reply));
        reply.write(self.terminator, self.out);
    }

    /// Adds the lines up to the offset `to`.
    fn share(&mut self, to: usize) {
        let from = self.at_lines;
        self.skip(to);
        if from < self.at_lines {
            self.out.push_shared(self.lines.slice(from..self.at_lines));
        }
    }

    /// Leaves out the lines up to the offset `to`.
    fn skip(&mut self, to: usize) {
        let skipped = &self.batch.lines[self.at..to];
        self.at_lines += match self.terminator {
            Terminator::CrLf => skipped.len(),
            Terminator::Lf => skipped.iter().filter(|&&byte| byte != b'\r').count(),
        };
        self.at = to;
    }
}

/// Appends one line.
pub(crate) fn put(out: &mut BytesMut, message: &ServerMessage, terminator: Terminator) {
    message.write(out).expect("BytesMut grows");
    out.extend_from_slice(terminator.as_str().as_bytes());
}

/// Encodes messages for one connection that is not a member.
pub fn encode(messages: &[ServerMessage], terminator: Terminator) -> Bytes {
    let mut lines = BytesMut::new();
    for message in messages {
        put(&mut lines, message, terminator);
    }
    lines.freeze()
}

/// The same lines ended by LF. Every CR in them belongs to a terminator: no text or name has one (clause 1.5).
fn to_lf(lines: &[u8]) -> Bytes {
    lines.iter().copied().filter(|&byte| byte != b'\r').collect::<Vec<_>>().into_boxed_slice().into()
}

/// The batch that is still open.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    number: u64,
    lines: BytesMut,
    spans: Vec<Span>,
    messages: usize,
}

impl Draft {
    /// The position after everything that was placed so far.
    pub(crate) fn position(&self) -> Position {
        Position { batch: self.number, offset: self.lines.len() }
    }

    /// Whether it should be taken before more is added.
    pub(crate) fn is_full(&self) -> bool {
        let weight = self.lines.len() + self.spans.len() * size_of::<Span>();
        self.lines.len() >= MAX_LINES || weight >= MAX_WEIGHT
    }

    /// Adds a line for all members; `conn`, who caused it, gets `view` instead.
    pub(crate) fn push(&mut self, message: &ServerMessage, conn: ConnId, view: SenderView) {
        // A member that enters gets nothing of the batch before its own JOIN.
        let start = if matches!(view, SenderView::Entered(_)) { 0 } else { self.offset() };
        put(&mut self.lines, message, Terminator::CrLf);
        self.messages += usize::from(view == SenderView::Ok);
        self.spans.push(Span { conn, start, end: self.offset(), view });
    }

    /// Adds a line for all members.
    pub(crate) fn push_for_all(&mut self, message: &ServerMessage) {
        put(&mut self.lines, message, Terminator::CrLf);
    }

    fn offset(&self) -> u32 {
        u32::try_from(self.lines.len()).expect("a batch is closed at MAX_WEIGHT")
    }

    /// Closes the batch and opens the next. `None` if nothing was placed.
    pub(crate) fn take(&mut self) -> Option<Batch> {
        if self.lines.is_empty() {
            return None;
        }
        let mut spans = std::mem::take(&mut self.spans);
        spans.sort_by_key(|span| span.conn);
        let number = self.number;
        self.number += 1;
        let messages = std::mem::take(&mut self.messages);
        let (lines, spans) = (Bytes::copy_from_slice(&self.lines), spans.into_boxed_slice());
        self.lines.clear();
        Some(Batch { number, lines, spans, messages, lf: OnceLock::new() })
    }
}

#[cfg(test)]
mod tests;
