//! Plays one case against a server: opens its connections, does its steps in order, and reports where the server departs
//! from the script.

mod expect;
mod order;
mod peer;
mod room;

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

pub(crate) use self::peer::{Got, Peer, check_bytes};
use self::room::Room;
use crate::{
    case::{Act, Case, Names, Step},
    clauses,
    clock::after,
    transcript::{Mark, Transcript},
};

/// How a failed case ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Failure {
    /// The clause that is broken, as far as that can be told.
    pub clause: String,
    /// What was wrong.
    pub what: String,
    /// The place of the step at which it failed.
    pub place: String,
    /// What went over the wires.
    pub transcript: Transcript,
}

impl Failure {
    /// The server no longer accepts connections.
    pub(crate) fn not_played(case: &Case) -> Self {
        Self {
            clause: case.clauses[0].clone(),
            what: "not played: the server is gone".to_owned(),
            place: case.place.clone(),
            transcript: Transcript::default(),
        }
    }
}

/// What is wrong, and the clause that says so; `None` stands for the clause of the step.
pub(crate) struct Wrong {
    pub(crate) clause: Option<&'static str>,
    pub(crate) what: String,
}

impl Wrong {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { clause: None, what: what.into() }
    }

    pub(crate) fn by(clause: &'static str, what: impl Into<String>) -> Self {
        Self { clause: Some(clause), what: what.into() }
    }
}

/// Plays `case` against the server at `address`. Names are made from `number`; each line is awaited for at most `patience`.
pub async fn play(address: SocketAddr, patience: Duration, case: &Case, number: u32) -> Result<(), Failure> {
    let names = Names::of(case, number);
    let mut play = Play {
        address,
        patience,
        peers: BTreeMap::new(),
        room: Room::new(names.clone()),
        names,
        transcript: Transcript::default(),
    };
    let mut result = Ok(());
    for step in &case.steps {
        let clause = || step.clause.clone().or_else(|| clauses::about(&step.act, &case.clauses));
        result = play.step(step).await.map_err(|wrong| (wrong, step.at, clause()));
        if result.is_err() {
            break;
        }
    }
    let last = case.steps.last().map_or(0, |step| step.at);
    let mut transcript = Transcript::default();
    if result.is_err() {
        // Steps after the first failure would only report its consequences.
        std::mem::swap(&mut transcript, &mut play.transcript);
    }
    // Everybody leaves even after a failure, so that the next case finds a quiet room.
    let left = play.leave().await.map_err(|wrong| (wrong, last, None));
    if result.is_ok() {
        transcript = play.transcript;
    }
    result.and(left).map_err(|(wrong, at, clause)| Failure {
        clause: wrong.clause.map(str::to_owned).or(clause).unwrap_or_else(|| case.clauses[0].clone()),
        what: wrong.what,
        place: format!("{}:{at}", case.place.rsplit_once(':').map_or(case.place.as_str(), |(file, _)| file)),
        transcript,
    })
}

/// The most that is read while leaving, in case the server never closes.
const LEAVING: Duration = Duration::from_millis(500);

struct Play {
    address: SocketAddr,
    patience: Duration,
    peers: BTreeMap<char, Peer>,
    names: Names,
    room: Room,
    transcript: Transcript,
}

impl Play {
    async fn step(&mut self, step: &Step) -> Result<(), Wrong> {
        let who = step.who;
        let until = after(step.within.unwrap_or(self.patience));
        if !self.peers.contains_key(&who) {
            let peer = Peer::connect(self.address, self.patience).await;
            self.peers.insert(who, peer.map_err(|error| Wrong::by("2.6", format!("{who} cannot connect: {error}")))?);
        }
        let Some(peer) = self.peers.get_mut(&who) else { return Ok(()) };
        match &step.act {
            Act::Send(bytes) => {
                let bytes = self.names.bytes(bytes);
                self.room.said(&bytes);
                self.transcript.sent(who, &bytes);
                peer.send(&bytes, bytes.len().max(1), until).await;
            }
            Act::SendEach(bytes) => {
                let bytes = self.names.bytes(bytes);
                self.room.said(&bytes);
                self.transcript.sent(who, &bytes);
                peer.send(&bytes, 1, until).await;
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
                let line = self.names.text(line);
                return self.expect(who, &line, until).await;
            }
            Act::ExpectRaw(bytes) => {
                let bytes = self.names.bytes(bytes);
                return self.expect_bytes(who, &bytes, until).await;
            }
            Act::ExpectEof => return self.expect_end(who, until).await,
            Act::SameOrder { count, others } => return self.same_order(who, *count, others, until).await,
            Act::Nothing(time) => return self.expect_nothing(who, after(*time)).await,
            other => return Err(Wrong::new(format!("{other:?} is for cases of clients"))),
        }
        Ok(())
    }

    /// Everybody says `BYE` and hangs up. A line that nobody is waiting for, such as a second `OK`, is found here.
    async fn leave(&mut self) -> Result<(), Wrong> {
        let until = after(self.patience.min(LEAVING));
        for peer in self.peers.values_mut().filter(|peer| peer.is_open()) {
            peer.send(b"BYE\r\n", usize::MAX, until).await;
            peer.half_close().await;
        }
        let mut result = Ok(());
        let everybody: Vec<_> = self.peers.keys().copied().collect();
        for who in everybody {
            while let Got::Line(line) = self.next(who, until).await {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                if text == "BYE" {
                    // A server that does not close is reported by the cases that test closing.
                    break;
                }
                if result.is_err() || self.room.is_farewell(&text) || text == "PING" {
                    continue;
                }
                self.transcript.received(who, &line, Mark::Wrong);
                let clause = clauses::of_server_line(&text);
                result = Err(Wrong::by(clause, format!("{who}: a line that nothing asked for")));
            }
        }
        result
    }
}
