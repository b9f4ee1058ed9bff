//! A batch: lines encoded once and shared by everybody, and the few places where somebody gets something else.

use std::{
    ops::Range,
    sync::{Arc, OnceLock},
};

use bytes::{Bytes, BytesMut};
use chat_proto::{ServerMessage, Session, Terminator};

use super::{Reply, pieces::Pieces};
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
    /// Exactly as many bytes as there are: the ring's bound counts them.
    lines: Bytes,
    /// Ordered by connection, and for each by place.
    spans: Box<[Span]>,
    /// Messages among the lines.
    messages: usize,
    /// The same lines ended by LF, once somebody needs them.
    lf: OnceLock<Bytes>,
}

/// What of a batch one connection gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct View {
    /// Messages of others among its lines.
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

    /// Adds what `conn` gets: the shared lines as they are, unless some of them are its own or replies stand among them. The
    /// replies are those whose position is not after [`Batch::end`], in their order.
    pub(crate) fn view(
        self: &Arc<Self>,
        conn: ConnId,
        replies: &[Reply],
        terminator: Terminator,
        out: &mut Pieces,
    ) -> View {
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

    /// The lines ended by LF.
    fn lf(&self) -> &Bytes {
        self.lf.get_or_init(|| to_lf(&self.lines))
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

/// Puts a batch together as one connection gets it: what others have too is shared, what is its own stands between.
struct Merge<'a> {
    batch: &'a Batch,
    terminator: Terminator,
    /// The batch's lines, ended by this terminator.
    lines: Bytes,
    /// How far they have been added: in the batch, and in these lines.
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

    /// Whether the connection's stream ends here.
    fn run(&mut self, own: &[Span], replies: &[Reply]) -> bool {
        let mut replies = replies.iter().peekable();
        for span in own {
            let Range { start, end } = span.range();
            while let Some(reply) = replies.next_if(|reply| self.batch.offset(reply) <= start) {
                self.reply(reply);
            }
            self.share(start);
            self.skip(end);
            let (instead, last): (&[ServerMessage], _) = match span.instead {
                Instead::Ok => (&[ServerMessage::Ok], false),
                Instead::Entered(Session::Plain) => (&[], false),
                Instead::Entered(Session::Named) => (&[ServerMessage::NameOk, ServerMessage::Welcome], false),
                Instead::Bye => (&[ServerMessage::Bye], true),
                Instead::Nothing => (&[], true),
            };
            for message in instead {
                put(self.out.own(), message, self.terminator);
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

    /// Adds the lines up to here.
    fn share(&mut self, to: usize) {
        let from = self.at_lines;
        self.skip(to);
        if from < self.at_lines {
            self.out.push_shared(self.lines.slice(from..self.at_lines));
        }
    }

    /// Leaves the lines up to here out.
    fn skip(&mut self, to: usize) {
        let left_out = &self.batch.lines[self.at..to];
        self.at_lines += match self.terminator {
            Terminator::CrLf => left_out.len(),
            Terminator::Lf => left_out.iter().filter(|&&byte| byte != b'\r').count(),
        };
        self.at = to;
    }
}

/// Adds a line.
pub(super) fn put(out: &mut BytesMut, message: &ServerMessage, terminator: Terminator) {
    message.write(out).expect("BytesMut grows");
    out.extend_from_slice(terminator.as_str().as_bytes());
}

/// These words, for one connection.
pub(crate) fn encode(words: &[ServerMessage], terminator: Terminator) -> Bytes {
    let mut lines = BytesMut::new();
    for word in words {
        put(&mut lines, word, terminator);
    }
    lines.freeze()
}

/// The same lines, ended by LF. Nothing else in them is a CR: no text or name has one (clause 1.5).
fn to_lf(lines: &[u8]) -> Bytes {
    lines.iter().copied().filter(|&byte| byte != b'\r').collect::<Vec<_>>().into_boxed_slice().into()
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
        put(&mut self.lines, message, Terminator::CrLf);
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
        let (lines, spans) = (Bytes::copy_from_slice(&self.lines), spans.into_boxed_slice());
        self.lines.clear();
        Some(Batch { number, lines, spans, messages, lf: OnceLock::new() })
    }
}

#[cfg(test)]
mod tests;
