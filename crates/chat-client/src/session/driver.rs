//! The task of a session: passes requests and lines between the client, the state and the wire.

use chat_proto::{ParseError, ServerMessage};
use futures::FutureExt;
use tokio::{
    sync::{mpsc, watch},
    task::yield_now,
    time::{Instant, Sleep, sleep_until},
};

use super::{
    Ended, Orders, Ticket,
    deadlines::{Deadlines, Due, Waiting},
    event_sink::EventSink,
    state::{Answer, Reaction, Request, State},
    wire::{Intake, Wire, WireEvent},
};
use crate::{CloseReason, Event};

/// Lines that arrived before a deadline are read before it counts, up to this number, so that a busy server cannot
/// postpone it.
const MAX_LINES_AFTER_DEADLINE: usize = 1_024;

pub(super) struct Driver {
    wire: Wire,
    state: State<Ticket>,
    deadlines: Deadlines,
    requests: mpsc::Receiver<Request<Ticket>>,
    /// Whether there are no more requests: the session leaves, or nobody has a handle any more.
    requests_over: bool,
    orders: watch::Receiver<Orders>,
    sink: EventSink,
    events_closed: mpsc::Sender<Event>,
    /// Whether to read although the events do not fit, because their reader has stopped.
    ignores_reader: bool,
}

impl Driver {
    pub(super) fn new(
        wire: Wire,
        state: State<Ticket>,
        deadlines: Deadlines,
        requests: mpsc::Receiver<Request<Ticket>>,
        orders: watch::Receiver<Orders>,
        sink: EventSink,
    ) -> Self {
        let events_closed = sink.reader();
        Self {
            wire,
            state,
            deadlines,
            requests,
            requests_over: false,
            orders,
            sink,
            events_closed,
            ignores_reader: false,
        }
    }

    /// Runs the session to its end, and answers all waiting requests.
    pub(super) async fn drive(mut self, report: watch::Sender<Option<Ended>>) {
        let reason = self.run().await;
        let Self { wire, state, deadlines, mut requests, sink, .. } = self;
        drop(wire);
        let (ended, unanswered) = state.end(reason);
        tracing::debug!(reason = %ended.reason, unknown = ended.unknown, "session over");
        let mut last_events = Vec::new();
        for request in unanswered {
            last_events.extend(request.message.map(Event::unknown));
            answer(request.ticket, Answer::Unknown);
        }
        let reason = ended.reason.clone();
        report.send_replace(Some(Ended { report: ended, last_received: deadlines.last_received() }));
        requests.close();
        // Ends at once: nobody holds room in the queue across an `await`.
        while let Some(request) = requests.recv().await {
            match request {
                Request::Say(text, ticket) => {
                    last_events.push(Event::not_sent(text));
                    answer(ticket, Answer::NotSent);
                }
                Request::Roster(ticket) | Request::Ping(ticket) => answer(ticket, Answer::NotSent),
            }
        }
        sink.finish(last_events, reason).await;
    }

    async fn run(&mut self) -> CloseReason {
        let mut alarm = std::pin::pin!(sleep_until(Instant::now()));
        loop {
            self.send_own_messages();
            let intake = self.update();
            let next = self.deadlines.next().map(|(at, _)| at);
            set_alarm(alarm.as_mut(), next);
            let accepts_requests = !self.requests_over && self.wire.has_room() && self.state.takes_requests();
            let is_abandoned = self.requests_over && !self.state.is_leaving();
            tokio::select! {
                Ok(()) = self.orders.changed() => self.on_orders(),
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
                () = self.sink.writable(), if self.sink.is_blocked() => {
                    self.ignores_reader = false;
                    self.sink.catch_up();
                    self.deadlines.read(Instant::now());
                }
                () = alarm.as_mut(), if next.is_some() => {
                    if let Some(reason) = self.on_alarm(intake).await {
                        return reason;
                    }
                }
                () = self.events_closed.closed(), if is_abandoned => self.state.leave(),
            }
        }
    }

    /// Tells the deadlines what the session waits for. Returns whether to read lines.
    fn update(&mut self) -> Intake {
        let is_blocked = self.sink.is_blocked();
        let orders = *self.orders.borrow();
        // A request must get its answer even if nobody reads the events: see `Events`.
        let may_stall =
            is_blocked && self.state.is_waiting() && (orders.leave_by.is_some() || !orders.waits_for_reader);
        self.ignores_reader &= may_stall;
        let intake = if is_blocked && !self.ignores_reader { Intake::Paused } else { Intake::Open };
        let waiting = Waiting {
            unproven: self.state.is_unproven(),
            can_ping: self.state.can_ping() && intake == Intake::Open,
            // What the session does not read is not the server's delay.
            is_leaving: (self.state.is_leaving() || orders.leave) && intake == Intake::Open,
            is_stalling: may_stall && !self.ignores_reader,
        };
        self.deadlines.update(waiting, Instant::now());
        intake
    }

    /// Something is due, unless what was awaited has arrived and this busy or suspended process has not read it.
    async fn on_alarm(&mut self, intake: Intake) -> Option<CloseReason> {
        yield_now().await;
        for _ in 0..MAX_LINES_AFTER_DEADLINE {
            if self.sink.is_blocked() && !self.ignores_reader {
                break;
            }
            match self.wire.next(intake).now_or_never() {
                None => break,
                Some(WireEvent::Writable) => {}
                Some(WireEvent::Ended(reason)) => return Some(reason),
                Some(WireEvent::Line(line)) => {
                    let reason = self.receive(line);
                    if reason.is_some() {
                        return reason;
                    }
                }
            }
        }
        self.update();
        match self.deadlines.take_due(Instant::now())? {
            Due::Probe | Due::Ping => self.state.ping(),
            Due::Dead => return Some(CloseReason::Silent),
            Due::Leave => return Some(CloseReason::TimedOut),
            Due::Stall => self.ignores_reader = true,
        }
        None
    }

    /// A session that leaves takes no further requests. Those that are queued are sent before `BYE`.
    fn on_orders(&mut self) {
        let orders = *self.orders.borrow_and_update();
        if !orders.leave {
            return;
        }
        self.requests.close();
        self.deadlines.leave_by(orders.leave_by);
        if self.requests_over {
            self.state.leave();
        }
    }

    /// Accepts a request and all that are queued behind it, so that they are written together.
    fn accept(&mut self, request: Option<Request<Ticket>>) {
        let mut next = request;
        self.requests_over = next.is_none();
        if self.requests_over && self.orders.borrow().leave {
            self.state.leave();
        }
        while let Some(request) = next {
            self.wire.send(self.state.request(request));
            let more = self.wire.has_room() && self.state.takes_requests();
            next = if more { self.requests.try_recv().ok() } else { None };
        }
    }

    fn receive(&mut self, line: Result<ServerMessage, ParseError>) -> Option<CloseReason> {
        self.deadlines.received(Instant::now());
        let reaction = self.state.receive(line);
        while let Some(earlier) = self.state.next_earlier() {
            self.react(earlier);
        }
        self.react(reaction)
    }

    fn react(&mut self, reaction: Reaction<Ticket>) -> Option<CloseReason> {
        // The event first: a caller that learns of the acceptance finds the event in the stream.
        if let Some(event) = reaction.event {
            self.sink.push(event);
        }
        if let Some((ticket, outcome)) = reaction.answer {
            self.deadlines.answered(Instant::now());
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

/// Makes the alarm ring at this time or earlier. A later time is set when it has rung, because most lines postpone the
/// next deadline.
fn set_alarm(mut alarm: std::pin::Pin<&mut Sleep>, at: Option<Instant>) {
    if let Some(at) = at
        && (at < alarm.deadline() || alarm.is_elapsed())
    {
        alarm.as_mut().reset(at);
    }
}

fn answer(ticket: Ticket, answer: Answer) {
    // The caller may have dropped its future.
    drop(ticket.send(answer));
}
