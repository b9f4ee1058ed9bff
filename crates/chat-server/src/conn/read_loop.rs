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

use chat_proto::{ClientMessage, Name, Session, Text};
use chat_room::Request;
use futures::FutureExt;
use tokio::{
    io::AsyncRead,
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
    limit::Turn,
    policy::Verdict,
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
/// How long to sleep when only input is awaited.
const NOTHING_DUE: Duration = Duration::from_secs(86_400);

pub(super) struct ReadLoop<'a, R> {
    client: &'a Client<'a>,
    name: Name,
    replies: &'a Arc<ReplyQueue>,
    lines: &'a mut LineReader<R>,
    heartbeat: Heartbeat,
    /// The next line to handle: it was counted already.
    counted: Option<Box<Line>>,
    /// Lines without an answer since the last one that was counted.
    silent_lines: u16,
    /// Messages that are not handed to the hub yet. Empty while the loop waits for input.
    said: Vec<Text>,
    /// Their size in bytes.
    said_bytes: usize,
}

/// What to await before the next line.
enum Wait<'a> {
    /// The hub, which takes the messages.
    Hub,
    /// Space for the reply to a request.
    Reply(Request),
    /// The turn of a line that exceeds the rate limit. Boxed, because it is rare and would make every task larger.
    Turn(Box<Turn<'a>>),
    /// Input.
    Input,
    /// Nothing: the session ends.
    End(EndReason),
}

impl<'a, R: AsyncRead + Unpin> ReadLoop<'a, R> {
    pub(super) fn new(
        client: &'a Client<'a>,
        name: Name,
        replies: &'a Arc<ReplyQueue>,
        lines: &'a mut LineReader<R>,
        first: Option<Box<Line>>,
    ) -> Self {
        let (heartbeat, said) = (Heartbeat::default(), Vec::new());
        Self { client, name, replies, lines, heartbeat, counted: first, silent_lines: 0, said, said_bytes: 0 }
    }

    pub(super) fn name(&self) -> Name {
        self.name
    }

    /// Runs until the session ends, and returns the reason.
    pub(super) async fn run(&mut self) -> EndReason {
        // The policy is the embedder's code and may panic.
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
                Wait::Reply(request) => Ok(self.client.shared.hub.ask(self.replies, request).await?),
                Wait::Turn(turn) => Box::pin(self.wait_for_turn(*turn, clock.as_mut())).await,
                Wait::Input => self.wait_for_input(None, clock.as_mut()).await,
                Wait::End(reason) => Err(reason),
            };
            if let Err(reason) = ended {
                return Ok(reason);
            }
        }
    }

    /// Handles the lines that were received, until something has to be awaited. This needs no clock and no socket.
    fn handle_lines(&mut self) -> Wait<'a> {
        loop {
            let line = match self.counted.take() {
                Some(line) => *line,
                None => match self.lines.ready() {
                    Ok(Some(line)) => match self.count(&line) {
                        None => line,
                        Some(turn) => {
                            self.counted = Some(Box::new(line));
                            return Wait::Turn(Box::new(turn));
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
    }

    /// Waits for more input, or until `due`. Meanwhile it sends `PING` to a silent client. The error ends the session.
    async fn wait_for_input(&mut self, due: Option<Instant>, mut clock: Pin<&mut Sleep>) -> Result<(), EndReason> {
        if let Some(due) = due.filter(|due| *due < clock.deadline()) {
            clock.as_mut().reset(due);
        }
        let reads = due.is_none() || self.lines.can_read_ahead();
        let mut looked = false;
        loop {
            // `select!` would make the task of every idle client larger.
            let read = poll_fn(|cx| {
                // Input counts before a clock that has run out.
                if reads && let Poll::Ready(read) = self.lines.poll_read(cx) {
                    return Poll::Ready(Some(read));
                }
                if due.is_some() || self.ping_times().is_some() {
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
            // A client that is not read from is not silent.
            let times = self.ping_times().filter(|_| reads);
            let next = match times.map(|times| self.heartbeat.action(now, self.lines.received(), times)) {
                None => None,
                Some(Action::WaitUntil(next)) => next,
                Some(Action::Ping(next)) => {
                    self.replies.ping();
                    next
                }
                Some(Action::GiveUp) => match second_look(clock.deadline(), now).filter(|_| !looked) {
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

    /// Waits for the turn of a line. Meanwhile it notices the end of the connection.
    async fn wait_for_turn(&mut self, turn: Turn<'_>, mut clock: Pin<&mut Sleep>) -> Result<(), EndReason> {
        while Instant::now() < turn.due() {
            self.wait_for_input(Some(turn.due()), clock.as_mut()).await?;
        }
        turn.take();
        Ok(())
    }

    /// Counts a line. If it exceeds the rate limit, returns the turn to wait for.
    fn count(&mut self, line: &Line) -> Option<Turn<'a>> {
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
        self.client.lines?.count(Instant::now(), units)
    }

    /// Hands the messages to the hub.
    async fn hand_over(&mut self) -> Result<(), Stopped> {
        if self.said.is_empty() {
            return Ok(());
        }
        self.said_bytes = 0;
        self.client.shared.hub.say(self.client.conn, &mut self.said).await
    }

    /// `None`: the client is not pinged. A plain client never is: a person at netcat would not answer (clause 6.1).
    fn ping_times(&self) -> Option<PingTimes> {
        let options = &self.client.shared.options;
        let named = self.lines.codec().session() == Some(Session::Named);
        let interval = options.ping_interval.filter(|_| named)?;
        Some(PingTimes { interval, timeout: options.ping_timeout })
    }

    /// Handles a line, and returns what to await before the next.
    fn handle(&mut self, line: Line) -> Option<Wait<'a>> {
        match line {
            Ok(ClientMessage::Msg(text)) => {
                match self.client.shared.policy.message(self.client.peer, self.name, text) {
                    Verdict::Deliver(text) => {
                        self.said_bytes += text.as_str().len() + MESSAGE_OVERHEAD;
                        self.said.push(text);
                        (self.said_bytes >= MAX_HANDOVER_BYTES).then_some(Wait::Hub)
                    }
                    Verdict::Refuse => Some(self.refuse("refused by policy")),
                }
            }
            Ok(ClientMessage::ReqClients) => Some(Wait::Reply(Request::Clients)),
            Ok(ClientMessage::Ping) => Some(Wait::Reply(Request::Ping)),
            Ok(ClientMessage::Bye) => Some(Wait::End(EndReason::Bye)),
            Ok(ClientMessage::Pong | ClientMessage::Blank) => None,
            // A member cannot log in again (clause 3.9).
            Ok(_) => Some(self.refuse("logged in already")),
            Err(error) => Some(self.refuse(error.fault())),
        }
    }

    /// Answers `BAD REQ`, and logs the reason.
    fn refuse(&self, reason: impl std::fmt::Display) -> Wait<'a> {
        let Client { conn, peer, .. } = self.client;
        debug!(conn = conn.number(), %peer, name = %self.name, %reason, "line refused");
        Wait::Reply(Request::Refuse)
    }
}
