//! The task of a session: passes requests and lines between the client, the state and the wire.

use std::time::Duration;

use chat_proto::{ParseError, ServerMessage};
use futures::{FutureExt, future::OptionFuture};
use tokio::{
    sync::{mpsc, watch},
    task::yield_now,
    time::{Instant, sleep_until},
};

use super::{
    Ticket,
    event_sink::EventSink,
    state::{Answer, Reaction, Request, State},
    wire::{Intake, Wire, WireEvent},
};
use crate::{CloseReason, Event, SessionReport};

/// Lines that arrived before a deadline are read before it counts, up to this number, so that a busy server cannot
/// postpone it.
const MAX_LINES_AFTER_DEADLINE: usize = 1_024;

pub(super) struct Driver {
    wire: Wire,
    state: State<Ticket>,
    requests: mpsc::Receiver<Request<Ticket>>,
    /// Whether a handle exists that can make requests.
    has_handles: bool,
    sink: EventSink,
    events_closed: mpsc::Sender<Event>,
}

impl Driver {
    pub(super) fn new(
        wire: Wire,
        state: State<Ticket>,
        requests: mpsc::Receiver<Request<Ticket>>,
        sink: EventSink,
    ) -> Self {
        let events_closed = sink.reader();
        Self { wire, state, requests, has_handles: true, sink, events_closed }
    }

    /// Runs the session to its end, and answers all waiting requests.
    pub(super) async fn drive(mut self, report: watch::Sender<Option<SessionReport>>) {
        let reason = self.run().await;
        let Self { wire, state, mut requests, sink, .. } = self;
        drop(wire);
        let (ended, unanswered) = state.end(reason);
        tracing::debug!(reason = %ended.reason, unknown = ended.unknown, "session over");
        unanswered.for_each(|ticket| answer(ticket, Answer::Unknown));
        let reason = ended.reason.clone();
        report.send_replace(Some(ended));
        requests.close();
        // In parallel: a slow reader of events must not delay the answers to late requests.
        tokio::join!(sink.finish(reason), async {
            while let Some(request) = requests.recv().await {
                match request {
                    Request::Say(_, ticket) | Request::Roster(ticket) | Request::Ping(ticket) => {
                        answer(ticket, Answer::NotSent);
                    }
                    Request::Leave => {}
                }
            }
        });
    }

    async fn run(&mut self) -> CloseReason {
        // The time limit for an answer, and when it ends.
        let mut deadline: Option<(Duration, Instant)> = None;
        loop {
            self.send_own_messages();
            let answer_timeout = self.state.answer_timeout();
            if answer_timeout != deadline.map(|(timeout, _)| timeout) {
                deadline = answer_timeout.map(|timeout| (timeout, Instant::now() + timeout));
            }
            let accepts_requests = self.has_handles && self.wire.has_room() && self.state.takes_requests();
            // A request must get its answer even if nobody reads the events: see `Events`.
            let reads = !self.sink.is_blocked() || self.state.is_waiting();
            let intake = if reads { Intake::Open } else { Intake::Paused };
            let abandoned = !self.has_handles && !self.state.is_leaving();
            tokio::select! {
                request = self.requests.recv(), if accepts_requests => self.accept(request),
                event = self.wire.next(intake) => match event {
                    WireEvent::Line(line) => {
                        if let Some(reason) = self.receive(line) {
                            return reason;
                        }
                    }
                    WireEvent::Writable => {}
                    WireEvent::Ended(reason) => return reason,
                },
                () = self.sink.writable(), if self.sink.is_blocked() => self.sink.catch_up(),
                Some(()) = OptionFuture::from(deadline.map(|(_, end)| sleep_until(end))) => {
                    if let Some(reason) = self.overdue(intake, answer_timeout).await {
                        return reason;
                    }
                }
                () = self.events_closed.closed(), if abandoned => {
                    self.state.request(Request::Leave);
                }
            }
        }
    }

    /// The server is out of time, unless its answer has arrived and this busy or suspended process has not read it.
    async fn overdue(&mut self, intake: Intake, answer_timeout: Option<Duration>) -> Option<CloseReason> {
        yield_now().await;
        for _ in 0..MAX_LINES_AFTER_DEADLINE {
            match self.wire.next(intake).now_or_never() {
                None => break,
                Some(WireEvent::Writable) => {}
                Some(WireEvent::Ended(reason)) => return Some(reason),
                Some(WireEvent::Line(line)) => {
                    let reason = self.receive(line);
                    if reason.is_some() || self.state.answer_timeout() != answer_timeout {
                        return reason;
                    }
                }
            }
        }
        self.state.overdue();
        self.catch_up();
        None
    }

    /// Accepts a request and all that are queued behind it, so that they are written together.
    fn accept(&mut self, request: Option<Request<Ticket>>) {
        self.has_handles = request.is_some();
        let mut next = request;
        while let Some(request) = next {
            if let Some(message) = self.state.request(request) {
                self.wire.send(message);
            }
            let more = self.wire.has_room() && self.state.takes_requests();
            next = if more { self.requests.try_recv().ok() } else { None };
        }
        self.catch_up();
    }

    fn receive(&mut self, line: Result<ServerMessage, ParseError>) -> Option<CloseReason> {
        let reaction = self.state.receive(line);
        self.catch_up();
        self.react(reaction)
    }

    /// Applies the reactions that precede the one to the last line.
    fn catch_up(&mut self) {
        while let Some(reaction) = self.state.next_earlier() {
            self.react(reaction);
        }
    }

    fn react(&mut self, reaction: Reaction<Ticket>) -> Option<CloseReason> {
        // The event first: a caller that learns of the acceptance finds the event in the stream.
        if let Some(event) = reaction.event {
            self.sink.push(event);
        }
        if let Some((ticket, outcome)) = reaction.answer {
            answer(ticket, outcome);
        }
        reaction.close_reason
    }

    fn send_own_messages(&mut self) {
        while self.wire.has_room() {
            let Some(message) = self.state.next_own_message() else { break };
            self.wire.send(message);
        }
    }
}

fn answer(ticket: Ticket, answer: Answer) {
    // The caller may have dropped its future.
    drop(ticket.send(answer));
}
