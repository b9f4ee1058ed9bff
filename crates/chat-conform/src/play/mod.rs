//! Plays one case against a server: opens the connections, runs the steps in order, and reports the first difference
//! from the script.

mod blame;
mod expect;
mod guests;
mod leave;
mod numbered;
mod order;
mod origin;
mod peer;
mod room;

use std::{collections::BTreeMap, net::SocketAddr};

use tokio::time::Instant;

use self::{guests::Guests, room::RoomView};
pub(crate) use self::{
    origin::Origin,
    peer::{LineRead, Peer, Sent, check_bytes},
};
use crate::{
    ServerOptions,
    annotate::Annotator,
    case::{Act, Case, Names, Settings, Step},
    clauses,
    clock::deadline_after,
    pace::Pace,
    transcript::{Mark, Transcript},
};

/// Why a case failed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Failure {
    /// The clause that is most likely broken.
    pub clause: String,
    /// The difference from what was expected.
    pub what: String,
    /// The file and line of the step that failed, as `FILE:LINE`.
    pub place: String,
    /// The lines that were exchanged.
    pub transcript: Transcript,
}

impl Failure {
    /// For a case whose client does not start.
    pub(crate) fn not_started(case: &Case, what: String) -> Self {
        Self { what, ..Self::not_played(case) }
    }

    /// For a case that was not played, or whose result means nothing, because the server no longer accepts connections.
    pub(crate) fn not_played(case: &Case) -> Self {
        Self {
            clause: case.clauses[0].clone(),
            what: "not played: the server no longer accepts connections".to_owned(),
            place: case.place.clone(),
            transcript: Transcript::default(),
        }
    }
}

/// A difference from what was expected.
#[derive(Debug)]
pub(crate) struct Violation {
    /// The broken clause. `None`: the clause of the step.
    pub(crate) clause: Option<&'static str>,
    /// The clause that is likely broken, if the step names none.
    pub(crate) likely: Option<&'static str>,
    /// The clause of what is missing, if nothing shows why it is missing. It counts if the case cites it.
    pub(crate) missing: Option<&'static str>,
    pub(crate) what: String,
}

impl Violation {
    /// Breaks the clause of the step.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self::maybe(None, what)
    }

    /// Breaks this clause, whatever the step is about.
    pub(crate) fn of(clause: &'static str, what: impl Into<String>) -> Self {
        Self::maybe(Some(clause), what)
    }

    /// Breaks this clause if there is one, and otherwise the clause of the step.
    pub(crate) fn maybe(clause: Option<&'static str>, what: impl Into<String>) -> Self {
        Self { clause, likely: None, missing: None, what: what.into() }
    }

    /// The number of the broken clause: that of the violation, or that of the step, or that of the case.
    pub(crate) fn clause_in(&self, case: &Case, step: Option<&Step>) -> String {
        let of_violation = self.clause.map(str::to_owned);
        let of_step = || step.and_then(|step| step.clause.clone()).or_else(|| self.likely.map(str::to_owned));
        let missing = || self.missing.map(str::to_owned).filter(|clause| case.clauses.contains(clause));
        let likely = || step.and_then(|step| clauses::likely_clause(&step.act, &case.clauses));
        of_violation.or_else(of_step).or_else(missing).or_else(likely).unwrap_or_else(|| case.clauses[0].clone())
    }
}

/// Plays `case` against the server at `address`. `number` makes the names fresh.
///
/// # Errors
///
/// The first difference from the script.
pub async fn play(address: SocketAddr, options: ServerOptions, case: &Case, number: u32) -> Result<(), Failure> {
    play_at(address, &Pace::fixed(options.line_timeout), &options.settings, case, number).await.map(drop)
}

/// Plays `case` as a part of a run.
pub(crate) async fn play_at(
    address: SocketAddr,
    pace: &Pace,
    settings: &Settings,
    case: &Case,
    number: u32,
) -> Result<Transcript, Failure> {
    let names = Names::new(case, number);
    let mut run = CaseRun {
        address,
        origin: Origin::of_case(number, address),
        pace,
        settings,
        connections: BTreeMap::new(),
        room: RoomView::new(names.clone()),
        guests: Guests::default(),
        names,
        transcript: Transcript::default(),
        deadline: Instant::now(),
        has_waited_again: false,
    };
    let mut result = Ok(());
    for step in &case.steps {
        result = run.timed_step(step).await.map_err(|violation| (violation, step.at, Some(step)));
        if result.is_err() {
            break;
        }
    }
    let last_line = case.steps.last().map_or(0, |step| step.at);
    // The transcript of a failure ends with it: what `leave` receives is left out.
    let transcript = if result.is_ok() {
        result = run.leave().await.map_err(|violation| (violation, last_line, None));
        run.transcript
    } else {
        let transcript = std::mem::take(&mut run.transcript);
        run.leave_after_failure().await;
        transcript
    };
    match result {
        Ok(()) => Ok(transcript),
        Err((violation, at, step)) => Err(Failure {
            clause: violation.clause_in(case, step),
            what: violation.what,
            place: format!("{}:{at}", case.place.rsplit_once(':').map_or(case.place.as_str(), |(file, _)| file)),
            transcript,
        }),
    }
}

/// One connection of a case, and what its lines mean.
struct Connection {
    peer: Peer,
    annotator: Annotator,
}

/// One case while it is played: its connections, and what was exchanged.
struct CaseRun<'a> {
    address: SocketAddr,
    origin: Origin,
    pace: &'a Pace,
    settings: &'a Settings,
    connections: BTreeMap<char, Connection>,
    names: Names,
    room: RoomView,
    guests: Guests,
    transcript: Transcript,
    /// When the current step fails.
    deadline: Instant,
    /// Whether the current step has waited a second time.
    has_waited_again: bool,
}

impl CaseRun<'_> {
    /// Runs the step. The pace learns how long its line took.
    async fn timed_step(&mut self, step: &Step) -> Result<(), Violation> {
        let started = Instant::now();
        self.has_waited_again = false;
        self.step(step).await?;
        if self.has_waited_again {
            self.pace.replied_late();
        } else if matches!(step.act, Act::Expect(_)) {
            self.pace.replied_after(started.elapsed());
        }
        Ok(())
    }

    async fn step(&mut self, step: &Step) -> Result<(), Violation> {
        let who = step.who;
        let wait = match step.within {
            Some(within) if within.has_setting() => within.resolve(self.settings),
            within => self.pace.wait(within.map(|within| within.resolve(self.settings))),
        };
        self.deadline = deadline_after(wait);
        if !self.connections.contains_key(&who) {
            self.connect(who, step.act == Act::Narrow).await?;
        }
        match &step.act {
            Act::Narrow => {}
            Act::Send(bytes) => self.send(who, bytes, usize::MAX).await,
            Act::SendEach(bytes) => self.send(who, bytes, 1).await,
            Act::SendNumbered { count, length } => self.send_numbered(who, *count, *length).await,
            Act::HalfClose => {
                self.transcript.event(who, "closes its sending side", Mark::Fine);
                if let Some(connection) = self.connections.get_mut(&who) {
                    connection.annotator.client_closed();
                    connection.peer.half_close().await;
                }
            }
            Act::Reset => {
                self.transcript.event(who, "resets the connection", Mark::Fine);
                self.connections.remove(&who).into_iter().for_each(|connection| connection.peer.reset());
            }
            Act::Expect(line) => return self.expect(who, line, None).await,
            Act::ExpectRaw(bytes) => return self.expect_bytes(who, bytes, wait).await,
            Act::ExpectNumbered { count, length, from } => {
                return self.expect_numbered(who, *count, *length, from, wait).await;
            }
            Act::ExpectEof => return self.expect_end(who).await,
            Act::ExpectCleanEof => return self.expect_clean_end(who).await,
            Act::Trickle(time) => return self.trickle(who, time.resolve(self.settings)).await,
            Act::SameOrder { count, others } => return self.same_order(who, *count, others, wait).await,
            Act::ExpectNothing(time) => {
                self.deadline = deadline_after(time.resolve(self.settings));
                return self.expect_nothing(who).await;
            }
            Act::ExpectAlone(time) => return self.expect_alone(who, time.resolve(self.settings)).await,
            other => return Err(Violation::new(format!("{other:?} is only for cases that judge clients"))),
        }
        Ok(())
    }

    async fn connect(&mut self, who: char, narrow: bool) -> Result<(), Violation> {
        let origin = if narrow { self.origin.narrow() } else { self.origin };
        let mut peer = Peer::connect_from(self.address, self.pace.line_timeout(), origin).await;
        if peer.is_err() {
            // The address may be unusable here, as one of its own for each case may be.
            peer = Peer::connect(self.address, self.pace.line_timeout()).await;
        }
        let peer = peer.map_err(|error| {
            // A client's BYE must not stop the server.
            let clause = if self.somebody_has_left() { "6.2" } else { "2.6" };
            self.transcript.event(who, "cannot connect", Mark::Wrong);
            Violation::of(clause, format!("{who} cannot connect: {error}"))
        })?;
        self.connections.insert(who, Connection { peer, annotator: Annotator::default() });
        Ok(())
    }

    /// Whether a client of the case has sent `BYE`.
    fn somebody_has_left(&self) -> bool {
        self.connections.values().any(|connection| connection.annotator.has_left())
    }

    async fn send(&mut self, who: char, bytes: &[u8], max_write: usize) {
        let bytes = self.names.sent_by(who, bytes);
        self.room.record_sent(who, &bytes);
        self.transcript.sent(who, &bytes);
        let deadline = self.deadline;
        if let Some(connection) = self.connections.get_mut(&who) {
            connection.annotator.client_bytes(&bytes);
            connection.annotator.forget_notes();
            connection.peer.send(&bytes, max_write, deadline).await;
        }
    }

    /// Reads the next line. After a reset there is none. Gives a program that may only be slow a second wait.
    async fn next(&mut self, who: char) -> LineRead {
        let Some(connection) = self.connections.get_mut(&who) else { return LineRead::Eof(Vec::new()) };
        let read = connection.peer.line(self.deadline).await;
        if !matches!(read, LineRead::TimedOut) || self.has_waited_again {
            return read;
        }
        let Some(more) = self.pace.timed_out() else { return read };
        self.has_waited_again = true;
        self.deadline = deadline_after(more);
        connection.peer.line(self.deadline).await
    }
}
