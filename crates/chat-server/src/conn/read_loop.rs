//! The read loop of a member: passes its lines to the hub. It does not read while it waits for the hub: that is the
//! backpressure.

use std::{
    future::poll_fn,
    panic::AssertUnwindSafe,
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use chat_proto::{ClientMessage, CodecError, Name, Session, Text};
use chat_room::Request;
use futures::{FutureExt, future::BoxFuture};
use tokio::{
    io::AsyncRead,
    task::yield_now,
    time::{Instant, Sleep, sleep_until},
};
use tracing::debug;

use super::{
    Client,
    deadline::second_look,
    heartbeat::{Action, Heartbeat, PingTimes},
    line_reader::{Line, LineReader, end_reason},
};
use crate::{
    hub::{ReplyQueue, Stopped},
    member::Member,
    policy::{Decision, Message, Outcome, Panicked},
    reason::EndReason,
};

/// Messages are handed to the hub together up to this many bytes: the hub's queue is bounded in commands.
const MAX_HANDOVER_BYTES: usize = 8_192;
/// What a message weighs beside its text.
const MESSAGE_OVERHEAD: usize = 64;
/// The bytes of a roster that count as one more line: an answer costs the asker what it costs the server.
const ROSTER_BYTES_PER_LINE: usize = 512;
/// Lines without an answer that count as one line. They cost next to nothing, so they need no pacing one by one.
const SILENT_LINES_PER_LINE: u16 = 512;
/// Yield to other tasks after this many lines, so that a flood of lines without answers cannot starve them.
const MAX_LINES_PER_TURN: usize = 256;
/// How long to sleep if the next `PING` is beyond the clock.
const BEYOND_THE_CLOCK: Duration = Duration::from_secs(86_400);

/// What ended a wait for input.
enum Woken {
    Input(Result<(), CodecError>),
    Turn,
    Clock,
}

pub(super) struct ReadLoop<'a, R> {
    client: &'a Client<'a>,
    member: Member,
    replies: Arc<ReplyQueue>,
    lines: &'a mut LineReader<R>,
    heartbeat: Heartbeat,
    /// What to handle before the next line.
    pending: Option<Box<Pending>>,
    /// Lines without an answer since the last one that was counted.
    silent_lines: u16,
    /// Messages that are not handed to the hub yet. Empty while the loop waits for input.
    said: Vec<Text>,
    /// Their size in bytes.
    said_bytes: usize,
}

/// What has waited, and is handled next.
enum Pending {
    /// A line that was counted.
    Line(Line),
    /// A message that the policy has decided about.
    Decided(Outcome),
}

/// What to await before the next line.
enum Wait {
    /// Other tasks, which have their turn.
    Others,
    /// The hub, which takes the messages.
    Hub,
    /// Space for the reply to a request.
    Reply(Request),
    /// The policy, which decides about a message.
    Policy(BoxFuture<'static, Result<Outcome, Panicked>>),
    /// The turn of a line that exceeds the rate limit and counts as this many.
    Turn(u32),
    /// Input.
    Input,
    /// Nothing: the session ends.
    End(EndReason),
}

impl<'a, R: AsyncRead + Unpin> ReadLoop<'a, R> {
    pub(super) fn new(
        client: &'a Client<'a>,
        member: Member,
        replies: Arc<ReplyQueue>,
        lines: &'a mut LineReader<R>,
        first: Option<Line>,
    ) -> Self {
        let (heartbeat, said) = (Heartbeat::default(), Vec::new());
        let pending = first.map(|line| Box::new(Pending::Line(line)));
        Self { client, member, replies, lines, heartbeat, pending, silent_lines: 0, said, said_bytes: 0 }
    }

    pub(super) fn name(&self) -> Name {
        self.member.name()
    }

    /// Runs until the session ends, and returns the reason.
    pub(super) async fn run(&mut self) -> EndReason {
        // The transport is the embedder's code and may panic.
        let ended = AssertUnwindSafe(self.read_until_end()).catch_unwind().await;
        // Messages that came before the end are said, whatever the end is.
        match (ended.unwrap_or(Ok(EndReason::Panicked)), self.hand_over().await) {
            (Ok(reason), Ok(())) => reason,
            (Err(Stopped), _) | (_, Err(Stopped)) => EndReason::ServerStopped,
        }
    }

    async fn read_until_end(&mut self) -> Result<EndReason, Stopped> {
        // It fires at once, and is then set by the first wait.
        let mut clock = pin!(sleep_until(Instant::now()));
        loop {
            let wait = self.handle_lines();
            // Other members must not wait for what this one waits for.
            self.hand_over().await?;
            let ended = match wait {
                Wait::Hub => Ok(()),
                Wait::Others => {
                    yield_now().await;
                    Ok(())
                }
                Wait::Reply(request) => Ok(self.client.shared.hub.ask(&self.replies, request).await?),
                // Boxed, because they are rare and would make every task larger.
                Wait::Policy(deciding) => Box::pin(self.wait_for_policy(deciding, clock.as_mut())).await,
                Wait::Turn(units) => Box::pin(self.wait_for_turn(units, clock.as_mut())).await,
                Wait::Input => self.wait_for_input(None, clock.as_mut()).await.map(|_| ()),
                Wait::End(reason) => Err(reason),
            };
            if let Err(reason) = ended {
                return Ok(reason);
            }
        }
    }

    /// Handles the lines that were received, until something has to be awaited. This needs no clock and no socket.
    fn handle_lines(&mut self) -> Wait {
        for _ in 0..MAX_LINES_PER_TURN {
            let line = match self.pending.take().map(|pending| *pending) {
                Some(Pending::Line(line)) => line,
                Some(Pending::Decided(outcome)) => match self.carry_out(outcome) {
                    None => continue,
                    Some(wait) => return wait,
                },
                None => match self.lines.ready() {
                    Ok(Some(line)) => match self.count(&line) {
                        None => line,
                        Some(units) => {
                            self.pending = Some(Box::new(Pending::Line(line)));
                            return Wait::Turn(units);
                        }
                    },
                    Ok(None) if self.lines.ended() => return Wait::End(EndReason::Closed),
                    Ok(None) => return Wait::Input,
                    Err(error) => return Wait::End(end_reason(&error)),
                },
            };
            if let Some(wait) = self.handle(line) {
                return wait;
            }
        }
        Wait::Others
    }

    /// Waits for more input, or for a turn. Meanwhile it sends `PING` to a silent client. Returns whether the turn has come. The
    /// error ends the session.
    async fn wait_for_input(
        &mut self,
        mut turn: Option<Pin<&mut (dyn Future<Output = ()> + Send)>>,
        mut clock: Pin<&mut Sleep>,
    ) -> Result<bool, EndReason> {
        let reads = turn.is_none() || self.lines.can_read_ahead();
        let mut looked = false;
        loop {
            // `select!` would make the task of every idle client larger.
            let woken = poll_fn(|cx| {
                // Input counts before a clock that has run out.
                if reads && let Poll::Ready(read) = self.lines.poll_read(cx) {
                    return Poll::Ready(Woken::Input(read));
                }
                if let Some(turn) = turn.as_mut()
                    && turn.as_mut().poll(cx).is_ready()
                {
                    return Poll::Ready(Woken::Turn);
                }
                // A client that is not read from is not silent.
                if reads && self.ping_times().is_some() {
                    clock.as_mut().poll(cx).map(|()| Woken::Clock)
                } else {
                    Poll::Pending
                }
            });
            match woken.await {
                Woken::Input(read) => return read.map(|()| false).map_err(|error| end_reason(&error)),
                Woken::Turn => return Ok(true),
                Woken::Clock => {}
            }
            let Some(times) = self.ping_times() else { continue };
            let now = Instant::now();
            let next = match self.heartbeat.action(now, self.lines.received(), times) {
                Action::WaitUntil(next) => next,
                Action::Ping(next) => {
                    self.replies.ping();
                    next
                }
                Action::GiveUp => match second_look(clock.deadline(), now).filter(|_| !looked) {
                    None => return Err(EndReason::PingTimeout),
                    Some(look) => {
                        looked = true;
                        Some(now + look)
                    }
                },
            };
            clock.as_mut().reset(next.unwrap_or_else(|| now + BEYOND_THE_CLOCK));
        }
    }

    /// Waits for the turn of a line. Meanwhile it notices the end of the connection.
    async fn wait_for_turn(&mut self, units: u32, mut clock: Pin<&mut Sleep>) -> Result<(), EndReason> {
        let Some(limit) = self.client.lines else { return Ok(()) };
        let mut turn = pin!(limit.wait(units));
        while !self.wait_for_input(Some(turn.as_mut()), clock.as_mut()).await? {}
        Ok(())
    }

    /// Waits until the policy has decided about a message. Meanwhile it notices the end of the connection.
    async fn wait_for_policy(
        &mut self,
        deciding: BoxFuture<'static, Result<Outcome, Panicked>>,
        mut clock: Pin<&mut Sleep>,
    ) -> Result<(), EndReason> {
        let mut decided = None;
        {
            let mut turn = pin!(async { decided = Some(deciding.await) });
            while !self.wait_for_input(Some(turn.as_mut()), clock.as_mut()).await? {}
        }
        if let Some(outcome) = decided {
            self.pending = Some(Box::new(Pending::Decided(outcome?)));
        }
        Ok(())
    }

    /// Counts a line. If it exceeds the rate limit, returns what it counts as.
    fn count(&mut self, line: &Line) -> Option<u32> {
        let units = match line {
            Ok(ClientMessage::Pong | ClientMessage::Blank) => {
                self.silent_lines += 1;
                if self.silent_lines < SILENT_LINES_PER_LINE {
                    return None;
                }
                self.silent_lines = 0;
                1
            }
            Ok(ClientMessage::ReqClients) => {
                let roster = self.client.shared.counters.roster_bytes() / ROSTER_BYTES_PER_LINE;
                u32::try_from(roster).unwrap_or(u32::MAX).saturating_add(1)
            }
            _ => 1,
        };
        let passes = self.client.lines.is_none_or(|limit| limit.count(units));
        (!passes).then_some(units)
    }

    /// Hands the messages to the hub.
    async fn hand_over(&mut self) -> Result<(), Stopped> {
        if self.said.is_empty() {
            return Ok(());
        }
        self.said_bytes = 0;
        self.client.shared.hub.say(self.member.id(), &mut self.said).await
    }

    /// `None`: the client is not pinged. A plain client never is: a person at netcat would not answer (clause 6.1).
    fn ping_times(&self) -> Option<PingTimes> {
        let options = &self.client.shared.options;
        let named = self.lines.codec().session() == Some(Session::Named);
        let interval = options.ping_interval.filter(|_| named)?;
        Some(PingTimes { interval, timeout: options.ping_timeout })
    }

    /// Handles a line, and returns what to await before the next.
    fn handle(&mut self, line: Line) -> Option<Wait> {
        match line {
            Ok(ClientMessage::Msg(text)) => match self.client.shared.policy.message(Message::new(&self.member, text)) {
                Ok(Decision::Now(outcome)) => self.carry_out(outcome),
                Ok(Decision::Later(deciding)) => Some(Wait::Policy(deciding)),
                Err(Panicked) => Some(Wait::End(EndReason::Panicked)),
            },
            Ok(ClientMessage::ReqClients) => Some(Wait::Reply(Request::Clients)),
            Ok(ClientMessage::Ping) => Some(Wait::Reply(Request::Ping)),
            Ok(ClientMessage::Bye) => Some(Wait::End(EndReason::Bye)),
            Ok(ClientMessage::Pong | ClientMessage::Blank) => None,
            // A member cannot log in again (clause 3.9).
            Ok(_) => Some(self.refuse("logged in already")),
            Err(error) => Some(self.refuse(error.fault())),
        }
    }

    /// Does with a message what the policy has decided.
    fn carry_out(&mut self, outcome: Outcome) -> Option<Wait> {
        match outcome {
            Outcome::Deliver(text) => {
                self.said_bytes += text.as_str().len() + MESSAGE_OVERHEAD;
                self.said.push(text);
                (self.said_bytes >= MAX_HANDOVER_BYTES).then_some(Wait::Hub)
            }
            Outcome::Swallow => Some(Wait::Reply(Request::Swallow)),
            Outcome::Refuse => Some(self.refuse("refused by policy")),
        }
    }

    /// Answers `BAD REQ`, and logs the reason.
    fn refuse(&self, reason: impl std::fmt::Display) -> Wait {
        let (conn, peer, name) = (self.member.id().number(), self.member.peer(), self.name());
        debug!(conn, %peer, %name, %reason, "line refused");
        Wait::Reply(Request::Refuse)
    }
}
