//! A batch: lines that are encoded once and shared by all members, and spans where one member receives something else.

use std::{
    ops::Range,
    sync::{Arc, OnceLock},
};

use bytes::{Bytes, BytesMut};
use chat_proto::{ServerMessage, Session, Terminator};

use crate::{conn_id::ConnId, pieces::Pieces, reply::Reply};

/// A point in the total order: after all earlier batches, and after `offset` bytes of this batch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Position {
    /// The number of the batch, counted from 0.
    pub batch: u64,
    /// Bytes of the batch before the point. Lines are terminated by CRLF.
    pub offset: usize,
}

/// What the member that caused a line receives in place of the line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SenderView {
    /// In place of its message: `OK` (clause 5.2).
    Ok,
    /// In place of its `JOIN`: the reply to its login. Its stream begins here (clause 5.4).
    Entered(Session),
    /// In place of its `LOGOUT`: `BYE`, in reply to its own `BYE`. Its stream ends here (clause 3.8).
    Bye,
    /// In place of its `LOGOUT`: nothing. Its stream ends here.
    Ended,
}

/// A batch with this many bytes of lines is full. The last line may exceed it.
const FULL_LINE_BYTES: usize = 24_576;
/// A batch with this many bytes of lines and spans together is full. The spans of short lines are larger than the lines.
const FULL_TOTAL_BYTES: usize = 32_768;

/// The range of a line that one member receives differently. Offsets have 32 bits, because most of the memory for short
/// lines is spans.
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

/// Everything that a [`Room`](crate::Room) placed between two calls of `take_batch`: consecutive lines, terminated by
/// CRLF.
#[derive(Debug)]
pub struct Batch {
    number: u64,
    /// Has no spare capacity, so that a bound on batches is a bound on memory.
    lines: Bytes,
    /// Sorted by connection, then by position.
    spans: Box<[Span]>,
    /// Number of messages among the lines.
    messages: usize,
    /// The same lines terminated by LF, created on first use.
    lf: OnceLock<Bytes>,
}

/// What one member receives of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct View {
    /// Number of messages of other members.
    pub messages: usize,
    /// Whether the stream of the member ends in this batch.
    pub last: bool,
}

impl Batch {
    /// The shared lines, terminated by CRLF.
    pub fn lines(&self) -> &[u8] {
        &self.lines
    }

    /// The position after this batch.
    pub fn end(&self) -> Position {
        Position { batch: self.number + 1, offset: 0 }
    }

    /// Appends the bytes for the member `conn` to `out`: the shared lines, with its own lines replaced and its replies
    /// inserted. `replies` must be sorted by position, and none may be after [`Batch::end`].
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
        View { messages: self.messages_of_others(own), last }
    }

    /// The number of messages of other members that the owner of these spans receives.
    fn messages_of_others(&self, own: &[Span]) -> usize {
        if own.iter().all(|span| span.view == SenderView::Ok) {
            return self.messages - own.len();
        }
        // Count the messages between its JOIN and its LOGOUT.
        let join = own.iter().find(|span| matches!(span.view, SenderView::Entered(_)));
        let logout = own.iter().find(|span| matches!(span.view, SenderView::Bye | SenderView::Ended));
        let stay = join.map_or(0, |span| span.end)..logout.map_or(u32::MAX, |span| span.start);
        let is_received = |span: &&Span| span.view == SenderView::Ok && stay.contains(&span.start);
        self.spans.iter().filter(is_received).count() - own.iter().filter(is_received).count()
    }

    fn spans_of(&self, conn: ConnId) -> &[Span] {
        let start = self.spans.partition_point(|span| span.conn < conn);
        let own = &self.spans[start..];
        if own.first().is_none_or(|span| span.conn != conn) {
            // The usual case.
            return &[];
        }
        &own[..own.partition_point(|span| span.conn == conn)]
    }

    /// The lines, terminated by LF.
    fn lf(&self) -> &Bytes {
        self.lf.get_or_init(|| to_lf(&self.lines))
    }

    /// The offset in this batch at which to insert a reply.
    fn offset_of(&self, reply: &Reply) -> usize {
        let Position { batch, offset } = reply.position();
        match batch.cmp(&self.number) {
            std::cmp::Ordering::Less => 0,
            std::cmp::Ordering::Equal => offset,
            std::cmp::Ordering::Greater => self.lines.len(),
        }
    }
}

/// Builds the view of one member: shared slices of the batch, with the member's own bytes between them.
struct Merge<'a> {
    batch: &'a Batch,
    terminator: Terminator,
    /// The lines of the batch with this terminator.
    lines: Bytes,
    /// The current offset in the batch, whose lines are terminated by CRLF.
    batch_offset: usize,
    /// The same point in `lines`.
    lines_offset: usize,
    out: &'a mut Pieces,
}

impl<'a> Merge<'a> {
    fn new(batch: &'a Batch, terminator: Terminator, out: &'a mut Pieces) -> Self {
        let lines = match terminator {
            Terminator::CrLf => batch.lines.clone(),
            Terminator::Lf => batch.lf().clone(),
        };
        Self { batch, terminator, lines, batch_offset: 0, lines_offset: 0, out }
    }

    /// Returns whether the stream of the member ends in this batch.
    fn run(&mut self, own: &[Span], replies: &[Reply]) -> bool {
        let mut replies = replies.iter().peekable();
        for span in own {
            let Range { start, end } = span.range();
            while let Some(reply) = replies.next_if(|reply| self.batch.offset_of(reply) <= start) {
                self.insert(reply);
            }
            self.share_until(start);
            self.skip_until(end);
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
        replies.for_each(|reply| self.insert(reply));
        self.share_until(self.batch.lines.len());
        self.out.close();
        false
    }

    fn insert(&mut self, reply: &Reply) {
        self.share_until(self.batch.offset_of(reply));
        reply.write(self.terminator, self.out);
    }

    /// Appends the lines before this offset in the batch.
    fn share_until(&mut self, offset: usize) {
        let start = self.lines_offset;
        self.skip_until(offset);
        if start < self.lines_offset {
            self.out.push_shared(self.lines.slice(start..self.lines_offset));
        }
    }

    /// Leaves out the lines before this offset in the batch.
    fn skip_until(&mut self, offset: usize) {
        let skipped = &self.batch.lines[self.batch_offset..offset];
        self.lines_offset += match self.terminator {
            Terminator::CrLf => skipped.len(),
            Terminator::Lf => skipped.iter().filter(|&&byte| byte != b'\r').count(),
        };
        self.batch_offset = offset;
    }
}

/// Appends one line.
pub(crate) fn write_line(out: &mut BytesMut, message: &ServerMessage, terminator: Terminator) {
    message.write(out).expect("BytesMut grows");
    out.extend_from_slice(terminator.as_str().as_bytes());
}

/// Encodes messages for a connection that is not a member.
pub fn encode(messages: &[ServerMessage], terminator: Terminator) -> Bytes {
    let mut lines = BytesMut::new();
    for message in messages {
        write_line(&mut lines, message, terminator);
    }
    lines.freeze()
}

/// Replaces CRLF by LF. Every CR belongs to a terminator, because texts and names contain none (clause 1.5).
fn to_lf(lines: &[u8]) -> Bytes {
    lines.iter().copied().filter(|&byte| byte != b'\r').collect::<Vec<_>>().into_boxed_slice().into()
}

/// The batch that is being filled.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    number: u64,
    lines: BytesMut,
    spans: Vec<Span>,
    messages: usize,
}

impl Draft {
    /// The position after everything placed so far.
    pub(crate) fn position(&self) -> Position {
        Position { batch: self.number, offset: self.lines.len() }
    }

    /// Whether it should be taken before more is added.
    pub(crate) fn is_full(&self) -> bool {
        let total = self.lines.len() + self.spans.len() * size_of::<Span>();
        self.lines.len() >= FULL_LINE_BYTES || total >= FULL_TOTAL_BYTES
    }

    /// Adds a line for all members except `conn`, which caused it and receives `view` instead.
    pub(crate) fn push(&mut self, message: &ServerMessage, conn: ConnId, view: SenderView) {
        // A newcomer receives nothing of the batch before its own JOIN.
        let start = if matches!(view, SenderView::Entered(_)) { 0 } else { self.offset() };
        write_line(&mut self.lines, message, Terminator::CrLf);
        self.messages += usize::from(view == SenderView::Ok);
        self.spans.push(Span { conn, start, end: self.offset(), view });
    }

    /// Adds a line for all members.
    pub(crate) fn push_for_all(&mut self, message: &ServerMessage) {
        write_line(&mut self.lines, message, Terminator::CrLf);
    }

    fn offset(&self) -> u32 {
        u32::try_from(self.lines.len()).expect("a batch has at most FULL_TOTAL_BYTES and one line")
    }

    /// Takes the batch, and starts the next one. `None` if nothing was placed.
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
