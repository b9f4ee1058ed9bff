//! The reader of a member: its lines, one by one, to the hub. While it waits for the hub, it does not read: that is
//! the back-pressure.

use std::{mem, panic::AssertUnwindSafe, pin::pin, sync::Arc};

use chat_proto::{ClientMessage, CodecError, Name, Session, Text};
use futures::FutureExt;
use tokio::{
    io::AsyncRead,
    time::{Instant, sleep_until},
};
use tracing::debug;

use super::{
    keepalive::{Due, Keepalive, Patience},
    lines::{Line, Lines},
    rate::Meter,
};
use crate::{
    hub::{Outbox, Request, Stopped},
    peer::{ConnId, PeerInfo},
    policy::Verdict,
    reason::EndReason,
    shared::Shared,
};

/// Messages are handed over together when they weigh so many octets: the hub's queue is bounded in such handfuls.
const HANDFUL: usize = 8_192;
/// What a message weighs beside its text.
const WRAPPING: usize = 64;

pub(super) struct Reader<'a, R> {
    shared: &'a Shared,
    conn: ConnId,
    peer: &'a PeerInfo,
    name: Name,
    outbox: &'a Arc<Outbox>,
    lines: &'a mut Lines<R>,
    meter: Option<Meter>,
    first: Option<Box<ClientMessage>>,
    /// What was said and not handed over yet; nothing while it waits for the peer.
    said: Vec<Text>,
    weight: usize,
    step: Step,
}

/// What is to be done next.
enum Step {
    ReadOn,
    Ask(Request),
    End(EndReason),
}

impl<'a, R: AsyncRead + Unpin> Reader<'a, R> {
    pub(super) fn new(
        shared: &'a Shared,
        conn: ConnId,
        peer: &'a PeerInfo,
        name: Name,
        outbox: &'a Arc<Outbox>,
        lines: &'a mut Lines<R>,
        first: Option<Box<ClientMessage>>,
    ) -> Self {
        let meter = shared.options.rate_limit.map(Meter::new);
        let (said, weight, step) = (Vec::new(), 0, Step::ReadOn);
        Self { shared, conn, peer, name, outbox, lines, meter, first, said, weight, step }
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
        if let Some(first) = self.first.take() {
            self.take(Ok(*first));
        }
        let mut keepalive = Keepalive::new(Instant::now());
        // Never looked at where silence is borne for ever.
        let mut clock = pin!(sleep_until(Instant::now()));
        loop {
            match mem::replace(&mut self.step, Step::ReadOn) {
                Step::ReadOn if self.weight < HANDFUL => {}
                Step::ReadOn => self.hand_over().await?,
                Step::Ask(request) => {
                    self.hand_over().await?;
                    self.shared.hub.ask(self.outbox, request).await?;
                }
                Step::End(reason) => return Ok(reason),
            }
            // What has come already needs no clock and no socket.
            let line = match self.lines.ready() {
                Ok(None) => {
                    self.hand_over().await?;
                    tokio::select! {
                        // Who speaks is not asked whether it is there.
                        biased;
                        line = self.lines.next() => {
                            keepalive.heard(Instant::now());
                            self.lines.has_stirred();
                            line
                        }
                        () = &mut clock, if self.patience().is_some() => {
                            let Some(patience) = self.patience() else { continue };
                            // Half a line is a sign of life too.
                            if self.lines.has_stirred() {
                                keepalive.heard(Instant::now());
                            }
                            match keepalive.due(Instant::now(), patience) {
                                Due::GiveUp => return Ok(EndReason::PingTimeout),
                                Due::At(next) => clock.as_mut().reset(next),
                                Due::Ping(next) => {
                                    self.outbox.ping();
                                    clock.as_mut().reset(next);
                                }
                            }
                            continue;
                        }
                    }
                }
                ready => ready,
            };
            let line = match line {
                Ok(Some(line)) => line,
                Ok(None) => return Ok(EndReason::Closed),
                Err(CodecError::Io(error)) => return Ok(EndReason::Transport(error.kind())),
                Err(_) => return Ok(EndReason::EndlessLine),
            };
            match self.meter.as_mut().and_then(|meter| meter.count(Instant::now())) {
                Some(early) => Box::pin(self.take_at(early, line)).await?,
                None => self.take(line),
            }
        }
    }

    /// Gives the hub what was said so far.
    async fn hand_over(&mut self) -> Result<(), Stopped> {
        if self.said.is_empty() {
            return Ok(());
        }
        self.weight = 0;
        self.shared.hub.say(self.conn, &mut self.said).await
    }

    /// Takes a line in that has come too early for the rate limit.
    async fn take_at(&mut self, due: Instant, line: Line) -> Result<(), Stopped> {
        self.hand_over().await?;
        sleep_until(due).await;
        self.take(line);
        Ok(())
    }

    /// Plain sessions are not asked: a person at netcat would not answer (clause 6.1).
    fn patience(&self) -> Option<Patience> {
        let options = &self.shared.options;
        let named = self.lines.codec().session() == Some(Session::Named);
        let interval = options.ping_interval.filter(|_| named)?;
        Some(Patience { interval, timeout: options.ping_timeout })
    }

    /// Takes a line in, and notes what it leads to.
    fn take(&mut self, line: Line) {
        self.step = match line {
            Ok(ClientMessage::Msg(text)) => match self.shared.policy.message(self.peer, self.name, text) {
                Verdict::Deliver(text) => {
                    self.weight += text.as_str().len() + WRAPPING;
                    self.said.push(text);
                    Step::ReadOn
                }
                Verdict::Refuse => self.refuse("refused by policy"),
            },
            Ok(ClientMessage::ReqClients) => Step::Ask(Request::Clients),
            Ok(ClientMessage::Ping) => Step::Ask(Request::Ping),
            Ok(ClientMessage::Bye) => Step::End(EndReason::Bye),
            Ok(ClientMessage::Pong | ClientMessage::Blank) => Step::ReadOn,
            // Once joined, nobody logs in again (clause 3.9).
            Ok(_) => self.refuse("logged in already"),
            Err(error) => self.refuse(error.fault()),
        };
    }

    /// `BAD REQ`, and why in the log.
    fn refuse(&self, why: impl std::fmt::Display) -> Step {
        debug!(conn = self.conn.number(), peer = %self.peer, name = %self.name, reason = %why, "line refused");
        Step::Ask(Request::Refuse)
    }
}
