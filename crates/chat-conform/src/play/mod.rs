//! Plays one case against a server: opens the connections, runs the steps in order, and reports the first difference
//! from the script.

mod expect;
mod order;
mod peer;
mod room;

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

pub(crate) use self::peer::{LineRead, Peer, check_bytes};
use self::room::RoomView;
use crate::{
    case::{Act, Case, Names, Step},
    clauses,
    clock::deadline_after,
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
    /// For a case that was not played, because the server no longer accepts connections.
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
pub(crate) struct Violation {
    /// The broken clause. `None`: the clause of the step.
    pub(crate) clause: Option<&'static str>,
    pub(crate) what: String,
}

impl Violation {
    /// Breaks the clause of the step.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { clause: None, what: what.into() }
    }

    /// Breaks this clause, whatever the step is about.
    pub(crate) fn of(clause: &'static str, what: impl Into<String>) -> Self {
        Self { clause: Some(clause), what: what.into() }
    }
}

/// Plays `case` against the server at `address`. Waits at most `line_timeout` for each line. `number` makes the names
/// fresh.
///
/// # Errors
///
/// The first difference from the script.
pub async fn play(address: SocketAddr, line_timeout: Duration, case: &Case, number: u32) -> Result<(), Failure> {
    let names = Names::new(case, number);
    let mut run = CaseRun {
        address,
        line_timeout,
        peers: BTreeMap::new(),
        room: RoomView::new(names.clone()),
        names,
        transcript: Transcript::default(),
    };
    let mut result = Ok(());
    for step in &case.steps {
        let clause = || step.clause.clone().or_else(|| clauses::likely_clause(&step.act, &case.clauses));
        result = run.step(step).await.map_err(|violation| (violation, step.at, clause()));
        if result.is_err() {
            break;
        }
    }
    let last_line = case.steps.last().map_or(0, |step| step.at);
    let mut transcript = Transcript::default();
    if result.is_err() {
        // Keep the lines that `leave` receives out of the transcript. It ends with the failure.
        std::mem::swap(&mut transcript, &mut run.transcript);
    }
    // All clients leave, after a failure too. Otherwise they would disturb the next case.
    let left = run.leave().await.map_err(|violation| (violation, last_line, None));
    if result.is_ok() {
        transcript = run.transcript;
    }
    result.and(left).map_err(|(violation, at, clause)| Failure {
        clause: violation.clause.map(str::to_owned).or(clause).unwrap_or_else(|| case.clauses[0].clone()),
        what: violation.what,
        place: format!("{}:{at}", case.place.rsplit_once(':').map_or(case.place.as_str(), |(file, _)| file)),
        transcript,
    })
}

/// How long to read while the clients leave. A server may never close.
const LEAVE_TIMEOUT: Duration = Duration::from_millis(500);

/// One case while it is played: its connections, and what was exchanged.
struct CaseRun {
    address: SocketAddr,
    line_timeout: Duration,
    peers: BTreeMap<char, Peer>,
    names: Names,
    room: RoomView,
    transcript: Transcript,
}

impl CaseRun {
    async fn step(&mut self, step: &Step) -> Result<(), Violation> {
        let who = step.who;
        let deadline = deadline_after(step.within.unwrap_or(self.line_timeout));
        if !self.peers.contains_key(&who) {
            let peer = Peer::connect(self.address, self.line_timeout).await;
            self.peers
                .insert(who, peer.map_err(|error| Violation::of("2.6", format!("{who} cannot connect: {error}")))?);
        }
        let Some(peer) = self.peers.get_mut(&who) else { return Ok(()) };
        match &step.act {
            Act::Send(bytes) => {
                let bytes = self.names.replace_bytes(bytes);
                self.room.record_sent(&bytes);
                self.transcript.sent(who, &bytes);
                peer.send(&bytes, bytes.len().max(1), deadline).await;
            }
            Act::SendEach(bytes) => {
                let bytes = self.names.replace_bytes(bytes);
                self.room.record_sent(&bytes);
                self.transcript.sent(who, &bytes);
                peer.send(&bytes, 1, deadline).await;
            }
            Act::HalfClose => {
                self.transcript.event(who, "closes its sending side", Mark::Fine);
                peer.half_close().await;
            }
            Act::Reset => {
                self.transcript.event(who, "resets the connection", Mark::Fine);
                self.peers.remove(&who).into_iter().for_each(Peer::reset);
            }
            Act::Expect(line) => {
                let line = self.names.replace(line);
                return self.expect(who, &line, deadline).await;
            }
            Act::ExpectRaw(bytes) => {
                let bytes = self.names.replace_bytes(bytes);
                return self.expect_bytes(who, &bytes, deadline).await;
            }
            Act::ExpectEof => return self.expect_end(who, deadline).await,
            Act::SameOrder { count, others } => return self.same_order(who, *count, others, deadline).await,
            Act::ExpectNothing(time) => return self.expect_nothing(who, deadline_after(*time)).await,
            other => return Err(Violation::new(format!("{other:?} is only for cases that judge clients"))),
        }
        Ok(())
    }

    /// Sends `BYE` on all connections, and closes them. Fails on a line that no step expected, such as a second `OK`.
    async fn leave(&mut self) -> Result<(), Violation> {
        let deadline = deadline_after(self.line_timeout.min(LEAVE_TIMEOUT));
        for peer in self.peers.values_mut().filter(|peer| peer.is_open()) {
            peer.send(b"BYE\r\n", usize::MAX, deadline).await;
            peer.half_close().await;
        }
        let mut result = Ok(());
        let letters: Vec<_> = self.peers.keys().copied().collect();
        for who in letters {
            while let LineRead::Line(line) = self.next(who, deadline).await {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                if text == "BYE" {
                    // Whether the server closes after `BYE` is left to the cases that test it.
                    break;
                }
                if result.is_err() || self.room.may_follow_bye(&text) || text == "PING" {
                    continue;
                }
                self.transcript.received(who, &line, Mark::Wrong);
                let clause = clauses::of_server_line(&text);
                result = Err(Violation::of(clause, format!("{who}: the server sends a line that no step expects")));
            }
        }
        result
    }
}
