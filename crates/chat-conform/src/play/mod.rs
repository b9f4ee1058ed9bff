//! Plays a case of servers: opens its connections, does its steps in order, and says where the server left the script.

mod order;
mod peer;
mod room;

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use tokio::time::Instant;

pub(crate) use self::peer::{Got, Peer, check_octets};
use self::room::Room;
use crate::{
    case::{Act, Case, Names, Step},
    clauses,
    transcript::{Mark, Transcript, shortened},
};

/// How a case ended that was failed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Failure {
    /// The clause that is broken, as far as that can be told.
    pub clause: String,
    /// What was wrong.
    pub what: String,
    /// Where the step stands that it happened at.
    pub place: String,
    /// What went over the wires.
    pub transcript: Transcript,
}

impl Failure {
    /// There is no server any more.
    pub(crate) fn not_played(case: &Case) -> Self {
        Self {
            clause: case.clauses[0].clone(),
            what: "not played: the server is gone".to_owned(),
            place: case.place.clone(),
            transcript: Transcript::default(),
        }
    }
}

/// What is wrong, and by which clause; `None`: by the one that the step is about.
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

/// Plays `case` against the server at `address`, with names made of `number`, waiting for each line as long as `patience`.
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
        // What comes after a failure explains nothing.
        std::mem::swap(&mut transcript, &mut play.transcript);
    }
    // Whatever has been failed, all leave: the next case shall find a quiet room.
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

/// Who leaves hears no more than this of a server that does not close.
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
        let until = Instant::now() + step.within.unwrap_or(self.patience);
        if !self.peers.contains_key(&who) {
            let peer = Peer::connect(self.address, self.patience).await;
            self.peers.insert(who, peer.map_err(|error| Wrong::by("2.6", format!("{who} cannot connect: {error}")))?);
        }
        let Some(peer) = self.peers.get_mut(&who) else { return Ok(()) };
        match &step.act {
            Act::Send(octets) => {
                let octets = self.names.octets(octets);
                self.room.said(&octets);
                self.transcript.sent(who, &octets);
                peer.send(&octets, octets.len().max(1), until).await;
            }
            Act::SendEach(octets) => {
                let octets = self.names.octets(octets);
                self.room.said(&octets);
                self.transcript.sent(who, &octets);
                peer.send(&octets, 1, until).await;
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
            Act::ExpectRaw(octets) => {
                let octets = self.names.octets(octets);
                return self.expect_octets(who, &octets, until).await;
            }
            Act::ExpectEof => return self.expect_end(who, until).await,
            Act::SameOrder { count, others } => return self.same_order(who, *count, others, until).await,
            Act::Nothing(time) => return self.expect_nothing(who, Instant::now() + *time).await,
            other => return Err(Wrong::new(format!("{other:?} is for cases of clients"))),
        }
        Ok(())
    }

    /// The next line that is not a stranger's is the expected one.
    async fn expect(&mut self, who: char, expected: &str, until: Instant) -> Result<(), Wrong> {
        let wanted = format!("expected \"{}\"", shortened(expected.as_bytes()));
        loop {
            let line = match self.next(who, until).await {
                Got::Line(octets) => octets,
                other => return Err(self.nothing(who, other, &wanted)),
            };
            let text = check_octets(&line, self.peers[&who].wants_crlf());
            let text = match text {
                Ok(text) => text,
                Err(wrong) => {
                    self.transcript.received(who, &line, Mark::Wrong);
                    return Err(wrong);
                }
            };
            if self.room.matches(expected, &text) {
                self.transcript.received(who, &line, Mark::Fine);
                if self.room.is_partial() {
                    continue;
                }
                return Ok(());
            }
            if self.passes_over(who, &text, &line).await {
                continue;
            }
            self.transcript.received(who, &line, Mark::Wrong);
            return Err(Wrong::new(format!("{who}: {wanted}, got another line")));
        }
    }

    /// A stranger's line is no answer; a server may ask whether somebody is still there (clause 6.1).
    async fn passes_over(&mut self, who: char, text: &str, line: &[u8]) -> bool {
        let is_ping = text == "PING";
        if !is_ping && !self.room.is_strangers(text) {
            return false;
        }
        self.transcript.received(who, line, Mark::Stranger);
        if is_ping && let Some(peer) = self.peers.get_mut(&who) {
            self.transcript.sent(who, b"PONG\r\n");
            peer.send(b"PONG\r\n", usize::MAX, Instant::now() + self.patience).await;
        }
        true
    }

    async fn expect_octets(&mut self, who: char, expected: &[u8], until: Instant) -> Result<(), Wrong> {
        for expected in expected.split_inclusive(|&octet| octet == b'\n') {
            let wanted = format!("expected \"{}\"", shortened(expected));
            loop {
                let line = match self.next(who, until).await {
                    Got::Line(octets) => octets,
                    other => return Err(self.nothing(who, other, &wanted)),
                };
                if self.room.matches_octets(expected, &line) {
                    self.transcript.received(who, &line, Mark::Fine);
                    break;
                }
                let text = String::from_utf8_lossy(&line);
                if self.room.is_strangers(text.trim_end_matches(['\r', '\n'])) {
                    self.transcript.received(who, &line, Mark::Stranger);
                    continue;
                }
                self.transcript.received(who, &line, Mark::Wrong);
                let is_end = expected.trim_ascii_end() == line.trim_ascii_end();
                let clause = is_end.then_some("1.2");
                return Err(Wrong { clause, what: format!("{who}: {wanted}, got other octets") });
            }
        }
        Ok(())
    }

    async fn expect_end(&mut self, who: char, until: Instant) -> Result<(), Wrong> {
        loop {
            match self.next(who, until).await {
                Got::Eof(rest) if rest.is_empty() => {
                    self.transcript.event(who, "closed", Mark::Fine);
                    return Ok(());
                }
                Got::Line(line) if self.room.is_strangers(String::from_utf8_lossy(&line).trim_end()) => {
                    self.transcript.received(who, &line, Mark::Stranger);
                }
                Got::Line(line) | Got::Eof(line) | Got::TooLong(line) => {
                    self.transcript.received(who, &line, Mark::Wrong);
                    return Err(Wrong::new(format!("{who}: the server should have closed, and says more")));
                }
                Got::Silent => {
                    self.transcript.event(who, "still open", Mark::Wrong);
                    return Err(Wrong::new(format!("{who}: the server should have closed, and has not")));
                }
            }
        }
    }

    async fn expect_nothing(&mut self, who: char, until: Instant) -> Result<(), Wrong> {
        loop {
            match self.next(who, until).await {
                Got::Silent => return Ok(()),
                Got::Line(line) if self.room.is_strangers(String::from_utf8_lossy(&line).trim_end()) => {
                    self.transcript.received(who, &line, Mark::Stranger);
                }
                Got::Line(line) | Got::TooLong(line) => {
                    self.transcript.received(who, &line, Mark::Wrong);
                    return Err(Wrong::new(format!("{who}: nothing should have come")));
                }
                Got::Eof(_) => {
                    self.transcript.event(who, "closed", Mark::Wrong);
                    return Err(Wrong::new(format!("{who}: the connection should have stayed open")));
                }
            }
        }
    }

    async fn next(&mut self, who: char, until: Instant) -> Got {
        match self.peers.get_mut(&who) {
            Some(peer) => peer.line(until).await,
            None => Got::Eof(Vec::new()),
        }
    }

    /// Why there is no line.
    fn nothing(&mut self, who: char, got: Got, wanted: &str) -> Wrong {
        match got {
            Got::TooLong(octets) => {
                self.transcript.received(who, &octets, Mark::Wrong);
                Wrong::by("1.3", format!("{who}: {wanted}, got more octets than any line has"))
            }
            Got::Eof(rest) if !rest.is_empty() => {
                self.transcript.received(who, &rest, Mark::Wrong);
                Wrong::by("1.1", format!("{who}: {wanted}, got a line without an end"))
            }
            Got::Eof(_) => {
                self.transcript.event(who, "closed", Mark::Wrong);
                Wrong::new(format!("{who}: {wanted}, the server closed instead"))
            }
            Got::Silent | Got::Line(_) => {
                self.transcript.event(who, "nothing came", Mark::Wrong);
                Wrong::new(format!("{who}: {wanted}, nothing came"))
            }
        }
    }

    /// Everybody says `BYE` and hangs up. What still comes must be owed to somebody: a second `OK` shows here.
    async fn leave(&mut self) -> Result<(), Wrong> {
        let until = Instant::now() + self.patience.min(LEAVING);
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
                    // A server that then stays open is found where that is looked for.
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
