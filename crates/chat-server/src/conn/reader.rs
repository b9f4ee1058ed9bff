//! The reader of a member: its lines, one by one, to the hub. While it waits for the hub, it does not read: that is
//! the back-pressure.

use std::{pin::pin, sync::Arc};

use chat_proto::{ClientMessage, CodecError, Name, ParseError, Session};
use tokio::{
    io::AsyncRead,
    time::{Instant, sleep_until},
};

use super::{
    keepalive::{Due, Keepalive},
    lines::Lines,
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

/// A line, or what stands in its place.
type Line = Result<ClientMessage, ParseError>;

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
    pub(super) async fn run(mut self, first: Option<ClientMessage>) -> EndReason {
        match self.read(first).await {
            Ok(reason) => reason,
            Err(Stopped) => EndReason::ServerStopped,
        }
    }

    async fn read(&mut self, first: Option<ClientMessage>) -> Result<EndReason, Stopped> {
        if let Some(first) = first
            && let Some(end) = self.handle(Ok(first)).await?
        {
            return Ok(end);
        }
        let mut keepalive = self.keepalive();
        // Never looked at without a keepalive.
        let mut clock = pin!(sleep_until(Instant::now()));
        loop {
            let line = tokio::select! {
                line = self.lines.next() => line,
                () = &mut clock, if keepalive.is_some() => {
                    let Some(keepalive) = &mut keepalive else { continue };
                    match keepalive.due(Instant::now()) {
                        Due::GiveUp => return Ok(EndReason::PingTimeout),
                        Due::At(next) => clock.as_mut().reset(next),
                        Due::Ping(next) => {
                            self.outbox.ping();
                            clock.as_mut().reset(next);
                        }
                    }
                    continue;
                }
            };
            let now = Instant::now();
            if let Some(keepalive) = &mut keepalive {
                keepalive.heard(now);
            }
            let line = match line {
                Ok(Some(line)) => line,
                Ok(None) => return Ok(EndReason::Closed),
                Err(CodecError::Io(error)) => return Ok(EndReason::Transport(error.kind())),
                Err(_) => return Ok(EndReason::EndlessLine),
            };
            if let Some(early) = self.meter.as_mut().and_then(|meter| meter.count(now)) {
                sleep_until(early).await;
            }
            if let Some(end) = self.handle(line).await? {
                return Ok(end);
            }
        }
    }

    /// Plain sessions are not asked: a person at netcat would not answer (clause 6.1).
    fn keepalive(&self) -> Option<Keepalive> {
        let options = &self.shared.options;
        let named = self.lines.codec().session() == Some(Session::Named);
        let interval = options.ping_interval.filter(|_| named)?;
        Some(Keepalive::new(interval, options.ping_timeout, Instant::now()))
    }

    /// Carries a line out. `Some`: it was the last.
    async fn handle(&mut self, line: Line) -> Result<Option<EndReason>, Stopped> {
        let request = match line {
            Ok(ClientMessage::Msg(text)) => match self.shared.policy.message(self.peer, self.name, text) {
                Verdict::Deliver(text) => {
                    self.shared.hub.say(self.conn, text).await?;
                    return Ok(None);
                }
                Verdict::Refuse => Request::Refuse,
            },
            Ok(ClientMessage::ReqClients) => Request::Clients,
            Ok(ClientMessage::Ping) => Request::Ping,
            Ok(ClientMessage::Bye) => return Ok(Some(EndReason::Bye)),
            Ok(ClientMessage::Pong | ClientMessage::Blank) => return Ok(None),
            // Once joined, nobody logs in again (clause 3.9).
            Ok(_) | Err(_) => Request::Refuse,
        };
        self.shared.hub.ask(self.outbox, request).await?;
        Ok(None)
    }
}
