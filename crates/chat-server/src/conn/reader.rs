//! The reader of a member: its lines, one by one, to the hub. While it waits for the hub, it does not read: that is
//! the back-pressure.

use std::{
    future::poll_fn,
    panic::AssertUnwindSafe,
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use chat_proto::{ClientMessage, Name, Session, Text};
use futures::FutureExt;
use tokio::{
    io::AsyncRead,
    time::{Instant, Sleep, sleep_until},
};
use tracing::debug;

use super::{
    Client,
    deadline::second_look,
    keepalive::{Due, Keepalive, Patience},
    lines::{Line, Lines, end_reason},
};
use crate::{
    hub::{Outbox, Request, Stopped},
    limit::Turn,
    policy::Verdict,
    reason::EndReason,
};

/// Messages are handed over together when they weigh so many octets: the hub's queue is bounded in such handfuls.
const HANDFUL: usize = 8_192;
/// What a message weighs beside its text.
const WRAPPING: usize = 64;
/// Bytes of a roster that count as one more line of the rate limit: an answer costs the asker what it costs the server.
const ROSTER_BYTES_PER_UNIT: usize = 512;
/// Lines without an answer that count as one: they cost next to nothing, and a peer that sends many need not be held up one
/// line at a time.
const SILENT_LINES_PER_UNIT: u16 = 512;
/// How long to wait where there is nothing to wait for but input.
const NOTHING_DUE: Duration = Duration::from_secs(86_400);

pub(super) struct Reader<'a, R> {
    client: &'a Client<'a>,
    name: Name,
    outbox: &'a Arc<Outbox>,
    lines: &'a mut Lines<R>,
    keepalive: Keepalive,
    /// A line that is taken next, since it has been counted already.
    counted: Option<Box<Line>>,
    /// Lines without an answer since one was counted.
    silent: u16,
    /// What was said and not handed over yet; nothing while it waits for the peer.
    said: Vec<Text>,
    weight: usize,
}

/// What must be waited for before the next line.
enum Wait<'a> {
    /// The hub: as much was said as is handed over together.
    ForHub,
    /// An answer's place in the outbox.
    ForAnswer(Request),
    /// The turn of a line that has come too early for the rate limit. On the heap while it lasts.
    ForTurn(Box<Turn<'a>>),
    /// The peer.
    ForInput,
    /// Nothing: the session ends.
    Ended(EndReason),
}

impl<'a, R: AsyncRead + Unpin> Reader<'a, R> {
    pub(super) fn new(
        client: &'a Client<'a>,
        name: Name,
        outbox: &'a Arc<Outbox>,
        lines: &'a mut Lines<R>,
        first: Option<Box<Line>>,
    ) -> Self {
        let (keepalive, said) = (Keepalive::default(), Vec::new());
        Self { client, name, outbox, lines, keepalive, counted: first, silent: 0, said, weight: 0 }
    }

    pub(super) fn name(&self) -> Name {
        self.name
    }

    /// Reads until the session ends, and says why.
    pub(super) async fn run(&mut self) -> EndReason {
        // The policy is the embedder's code, and may panic.
        let followed = AssertUnwindSafe(self.follow()).catch_unwind().await;
        // What was said before the end, whatever it is, comes before the leave.
        match (followed.unwrap_or(Ok(EndReason::Panicked)), self.hand_over().await) {
            (Ok(end), Ok(())) => end,
            (Err(Stopped), _) | (_, Err(Stopped)) => EndReason::ServerStopped,
        }
    }

    async fn follow(&mut self) -> Result<EndReason, Stopped> {
        // It fires at the first wait, which sets it.
        let mut clock = pin!(sleep_until(Instant::now()));
        loop {
            let wait = self.take_lines();
            // Others need not wait for what this one waits for.
            self.hand_over().await?;
            let ended = match wait {
                Wait::ForHub => Ok(()),
                Wait::ForAnswer(request) => Ok(self.client.shared.hub.ask(self.outbox, request).await?),
                Wait::ForTurn(turn) => Box::pin(self.wait_for(*turn, clock.as_mut())).await,
                Wait::ForInput => self.watch(None, clock.as_mut()).await,
                Wait::Ended(reason) => Err(reason),
            };
            if let Err(reason) = ended {
                return Ok(reason);
            }
        }
    }

    /// Takes the lines that have come already, until something must be waited for. That needs no clock and no socket.
    fn take_lines(&mut self) -> Wait<'a> {
        loop {
            let line = match self.counted.take() {
                Some(line) => *line,
                None => match self.lines.ready() {
                    Ok(Some(line)) => match self.count(&line) {
                        None => line,
                        Some(turn) => {
                            self.counted = Some(Box::new(line));
                            return Wait::ForTurn(Box::new(turn));
                        }
                    },
                    Ok(None) if self.lines.ended() => return Wait::Ended(EndReason::Closed),
                    Ok(None) => return Wait::ForInput,
                    Err(error) => return Wait::Ended(end_reason(&error)),
                },
            };
            if let Some(wait) = self.take(line) {
                return wait;
            }
        }
    }

    /// Waits until more has come, or until `due`; asks a silent peer meanwhile whether it is there. The error is the end of
    /// the session.
    async fn watch(&mut self, due: Option<Instant>, mut clock: Pin<&mut Sleep>) -> Result<(), EndReason> {
        if let Some(due) = due.filter(|due| *due < clock.deadline()) {
            clock.as_mut().reset(due);
        }
        let reads = due.is_none() || self.lines.can_read_ahead();
        let mut looked = false;
        loop {
            // Not a `select!`, which keeps room for more than it needs while a client is idle.
            let read = poll_fn(|cx| {
                // Input that has come counts before a clock that has run out.
                if reads && let Poll::Ready(read) = self.lines.poll_read(cx) {
                    return Poll::Ready(Some(read));
                }
                if due.is_some() || self.patience().is_some() {
                    clock.as_mut().poll(cx).map(|()| None)
                } else {
                    Poll::Pending
                }
            });
            if let Some(read) = read.await {
                return read.map_err(|error| end_reason(&error));
            }
            let now = Instant::now();
            if due.is_some_and(|due| due <= now) {
                return Ok(());
            }
            // A peer that is not listened to is not silent.
            let patience = self.patience().filter(|_| reads);
            let next = match patience.map(|patience| self.keepalive.due(now, self.lines.heard(), patience)) {
                None => None,
                Some(Due::At(next)) => next,
                Some(Due::Ping(next)) => {
                    self.outbox.ping();
                    next
                }
                Some(Due::GiveUp) => match second_look(clock.deadline(), now).filter(|_| !looked) {
                    None => return Err(EndReason::PingTimeout),
                    Some(look) => {
                        looked = true;
                        Some(now + look)
                    }
                },
            };
            let next = [next, due].into_iter().flatten().min();
            clock.as_mut().reset(next.unwrap_or_else(|| now + NOTHING_DUE));
        }
    }

    /// Waits for the turn of a line. The peer's end is seen meanwhile.
    async fn wait_for(&mut self, turn: Turn<'_>, mut clock: Pin<&mut Sleep>) -> Result<(), EndReason> {
        while Instant::now() < turn.due() {
            self.watch(Some(turn.due()), clock.as_mut()).await?;
        }
        turn.take();
        Ok(())
    }

    /// Counts a line. If it has come too early for the rate limit: the turn that it must wait for.
    fn count(&mut self, line: &Line) -> Option<Turn<'a>> {
        let units = match line {
            Ok(ClientMessage::Pong | ClientMessage::Blank) => {
                self.silent += 1;
                if self.silent < SILENT_LINES_PER_UNIT {
                    return None;
                }
                self.silent = 0;
                1
            }
            Ok(ClientMessage::ReqClients) => {
                let roster = self.client.shared.counters.roster_bytes() / ROSTER_BYTES_PER_UNIT;
                u32::try_from(roster).unwrap_or(u32::MAX).saturating_add(1)
            }
            _ => 1,
        };
        self.client.meter?.count(Instant::now(), units)
    }

    /// Gives the hub what was said so far.
    async fn hand_over(&mut self) -> Result<(), Stopped> {
        if self.said.is_empty() {
            return Ok(());
        }
        self.weight = 0;
        self.client.shared.hub.say(self.client.conn, &mut self.said).await
    }

    /// Plain sessions are not asked: a person at netcat would not answer (clause 6.1).
    fn patience(&self) -> Option<Patience> {
        let options = &self.client.shared.options;
        let named = self.lines.codec().session() == Some(Session::Named);
        let interval = options.ping_interval.filter(|_| named)?;
        Some(Patience { interval, timeout: options.ping_timeout })
    }

    /// Takes a line in, and says what must be waited for before the next.
    fn take(&mut self, line: Line) -> Option<Wait<'a>> {
        match line {
            Ok(ClientMessage::Msg(text)) => {
                match self.client.shared.policy.message(self.client.peer, self.name, text) {
                    Verdict::Deliver(text) => {
                        self.weight += text.as_str().len() + WRAPPING;
                        self.said.push(text);
                        (self.weight >= HANDFUL).then_some(Wait::ForHub)
                    }
                    Verdict::Refuse => Some(self.refuse("refused by policy")),
                }
            }
            Ok(ClientMessage::ReqClients) => Some(Wait::ForAnswer(Request::Clients)),
            Ok(ClientMessage::Ping) => Some(Wait::ForAnswer(Request::Ping)),
            Ok(ClientMessage::Bye) => Some(Wait::Ended(EndReason::Bye)),
            Ok(ClientMessage::Pong | ClientMessage::Blank) => None,
            // Once joined, nobody logs in again (clause 3.9).
            Ok(_) => Some(self.refuse("logged in already")),
            Err(error) => Some(self.refuse(error.fault())),
        }
    }

    /// `BAD REQ`, and why in the log.
    fn refuse(&self, why: impl std::fmt::Display) -> Wait<'a> {
        let Client { conn, peer, .. } = self.client;
        debug!(conn = conn.number(), %peer, name = %self.name, reason = %why, "line refused");
        Wait::ForAnswer(Request::Refuse)
    }
}
