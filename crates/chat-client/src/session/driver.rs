//! The task of a session: joins the requests of its user with the wire, and does what the state says.

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
    event_sink::Outbox,
    state::{Answer, Reaction, Request, State},
    wire::{Intake, Turn, Wire},
};
use crate::{Closed, Event, Report};

/// So many lines that came before a deadline are read after it. One that never stops talking does not push it.
const MAX_LATE: usize = 1_024;

pub(super) struct Driver {
    wire: Wire,
    state: State<Ticket>,
    requests: mpsc::Receiver<Request<Ticket>>,
    /// Whether anybody is left who could make a request.
    wanted: bool,
    outbox: Outbox,
    listener: mpsc::Sender<Event>,
}

impl Driver {
    pub(super) fn new(
        wire: Wire,
        state: State<Ticket>,
        requests: mpsc::Receiver<Request<Ticket>>,
        outbox: Outbox,
    ) -> Self {
        let listener = outbox.listener();
        Self { wire, state, requests, wanted: true, outbox, listener }
    }

    /// Runs the session to its end, and tells everyone who waits.
    pub(super) async fn drive(mut self, report: watch::Sender<Option<Report>>) {
        let closed = self.run().await;
        let Self { wire, state, mut requests, outbox, .. } = self;
        drop(wire);
        let (told, in_vain) = state.end(closed);
        tracing::debug!(closed = %told.closed, unknown = told.unknown, "session over");
        in_vain.for_each(|ticket| answer(ticket, Answer::Unknown));
        report.send_replace(Some(told));
        requests.close();
        // Together: a reader that is slow to take its events must not keep a late request waiting.
        tokio::join!(outbox.finish(told.closed), async {
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

    async fn run(&mut self) -> Closed {
        // The state's patience, and when it ends.
        let mut overdue: Option<(Duration, Instant)> = None;
        loop {
            self.say_what_is_due();
            let patience = self.state.patience();
            if patience != overdue.map(|(patience, _)| patience) {
                overdue = patience.map(|patience| (patience, Instant::now() + patience));
            }
            let taking = self.wanted && self.wire.has_room() && self.state.takes_requests();
            // Whoever waits for an answer must get it, also while nobody reads the events: see `Events`.
            let reading = !self.outbox.is_blocked() || self.state.is_waiting();
            let intake = if reading { Intake::Open } else { Intake::Paused };
            let unwanted = !self.wanted && !self.state.is_leaving();
            tokio::select! {
                request = self.requests.recv(), if taking => self.take(request),
                turn = self.wire.turn(intake) => match turn {
                    Turn::Line(line) => {
                        if let Some(closed) = self.hear(line) {
                            return closed;
                        }
                    }
                    Turn::Room => {}
                    Turn::Ended(closed) => return closed,
                },
                () = self.outbox.room(), if self.outbox.is_blocked() => self.outbox.catch_up(),
                Some(()) = OptionFuture::from(overdue.map(|(_, end)| sleep_until(end))) => {
                    if let Some(closed) = self.overdue(intake, patience).await {
                        return closed;
                    }
                }
                () = self.listener.closed(), if unwanted => {
                    self.state.request(Request::Leave);
                }
            }
        }
    }

    /// The server's time is up, unless it has said something that this process, stopped or busy, has not read yet.
    async fn overdue(&mut self, intake: Intake, patience: Option<Duration>) -> Option<Closed> {
        yield_now().await;
        for _ in 0..MAX_LATE {
            match self.wire.turn(intake).now_or_never() {
                None => break,
                Some(Turn::Room) => {}
                Some(Turn::Ended(closed)) => return Some(closed),
                Some(Turn::Line(line)) => {
                    let closed = self.hear(line);
                    if closed.is_some() || self.state.patience() != patience {
                        return closed;
                    }
                }
            }
        }
        self.state.overdue();
        self.catch_up();
        None
    }

    /// Takes a request and all that wait behind it, so that they are written together.
    fn take(&mut self, request: Option<Request<Ticket>>) {
        self.wanted = request.is_some();
        let mut next = request;
        while let Some(request) = next {
            if let Some(message) = self.state.request(request) {
                self.wire.say(message);
            }
            let more = self.wire.has_room() && self.state.takes_requests();
            next = if more { self.requests.try_recv().ok() } else { None };
        }
        self.catch_up();
    }

    fn hear(&mut self, line: Result<ServerMessage, ParseError>) -> Option<Closed> {
        let reaction = self.state.hear(line);
        self.catch_up();
        self.react(reaction)
    }

    /// Does what goes before the reaction to the last line.
    fn catch_up(&mut self) {
        while let Some(reaction) = self.state.earlier() {
            self.react(reaction);
        }
    }

    fn react(&mut self, reaction: Reaction<Ticket>) -> Option<Closed> {
        // The event first: who is told that a message is accepted finds it among the events.
        if let Some(event) = reaction.event {
            self.outbox.put(event);
        }
        if let Some((ticket, told)) = reaction.answer {
            answer(ticket, told);
        }
        reaction.closed
    }

    fn say_what_is_due(&mut self) {
        while self.wire.has_room() {
            let Some(message) = self.state.due() else { break };
            self.wire.say(message);
        }
    }
}

fn answer(ticket: Ticket, answer: Answer) {
    // Nobody needs to wait for an answer.
    drop(ticket.send(answer));
}
