//! The reader of a member: its lines, one by one, to the hub. While it waits for the hub, it does not read: that is
//! the back-pressure.

use std::{mem, pin::pin, sync::Arc};

use chat_proto::{ClientMessage, CodecError, Name, Session, Text};
use tokio::{
    io::AsyncRead,
    time::{Instant, sleep_until},
};

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

pub(super) struct Reader<'a, R> {
    shared: &'a Shared,
    conn: ConnId,
    peer: &'a PeerInfo,
    name: Name,
    outbox: &'a Arc<Outbox>,
    lines: &'a mut Lines<R>,
    meter: Option<Meter>,
}

/// What is to be done next.
enum Step {
    Nothing,
    Say(Text),
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
    ) -> Self {
        let meter = shared.options.rate_limit.map(Meter::new);
        Self { shared, conn, peer, name, outbox, lines, meter }
    }

    /// Reads until the session ends, and says why.
    pub(super) async fn run(&mut self, first: Option<ClientMessage>) -> EndReason {
        let mut step = first.map_or(Step::Nothing, |first| self.decide(Ok(first)));
        let mut keepalive = Keepalive::new(Instant::now());
        // Never looked at where silence is borne for ever.
        let mut clock = pin!(sleep_until(Instant::now()));
        loop {
            let handed_over = match mem::replace(&mut step, Step::Nothing) {
                Step::Nothing => Ok(()),
                Step::Say(text) => self.shared.hub.say(self.conn, text).await,
                Step::Ask(request) => self.shared.hub.ask(self.outbox, request).await,
                Step::End(reason) => return reason,
            };
            if handed_over == Err(Stopped) {
                return EndReason::ServerStopped;
            }
            // What has come already needs no clock and no socket.
            let line = match self.lines.ready() {
                Ok(None) => tokio::select! {
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
                            Due::GiveUp => return EndReason::PingTimeout,
                            Due::At(next) => clock.as_mut().reset(next),
                            Due::Ping(next) => {
                                self.outbox.ping();
                                clock.as_mut().reset(next);
                            }
                        }
                        continue;
                    }
                },
                ready => ready,
            };
            let line = match line {
                Ok(Some(line)) => line,
                Ok(None) => return EndReason::Closed,
                Err(CodecError::Io(error)) => return EndReason::Transport(error.kind()),
                Err(_) => return EndReason::EndlessLine,
            };
            if let Some(early) = self.meter.as_mut().and_then(|meter| meter.count(Instant::now())) {
                sleep_until(early).await;
            }
            step = self.decide(line);
        }
    }

    /// Plain sessions are not asked: a person at netcat would not answer (clause 6.1).
    fn patience(&self) -> Option<Patience> {
        let options = &self.shared.options;
        let named = self.lines.codec().session() == Some(Session::Named);
        let interval = options.ping_interval.filter(|_| named)?;
        Some(Patience { interval, timeout: options.ping_timeout })
    }

    /// What a line leads to.
    fn decide(&self, line: Line) -> Step {
        match line {
            Ok(ClientMessage::Msg(text)) => match self.shared.policy.message(self.peer, self.name, text) {
                Verdict::Deliver(text) => Step::Say(text),
                Verdict::Refuse => Step::Ask(Request::Refuse),
            },
            Ok(ClientMessage::ReqClients) => Step::Ask(Request::Clients),
            Ok(ClientMessage::Ping) => Step::Ask(Request::Ping),
            Ok(ClientMessage::Bye) => Step::End(EndReason::Bye),
            Ok(ClientMessage::Pong | ClientMessage::Blank) => Step::Nothing,
            // Once joined, nobody logs in again (clause 3.9).
            Ok(_) | Err(_) => Step::Ask(Request::Refuse),
        }
    }
}
