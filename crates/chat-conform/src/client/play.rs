//! Plays one case of clients, step by step.

use std::time::Duration;

use tokio::{
    net::TcpListener,
    time::{Instant, timeout},
};

use super::{Command, Patience, process::Process, session::Session};
use crate::{
    Failure, NotJudged,
    case::{Act, Case, Step},
    clauses,
    clock::after,
    play::{Got, Peer, Wrong},
    transcript::{Mark, Transcript, shortened},
};

/// A program may take its time to start, whatever the patience for lines.
const TO_START: Duration = Duration::from_secs(10);

/// So many connections of earlier clients are closed before a case begins.
const MOST_STALE: usize = 1_024;

/// How long a guest's client may wait for its user before it is typed to.
const TO_SPEAK: Duration = Duration::from_millis(300);

pub(super) struct Play {
    /// `None`: a person has started the client, and types.
    pub(super) process: Option<Process>,
    pub(super) peer: Option<Peer>,
    pub(super) session: Session,
    patience: Patience,
    other_name: String,
    pub(super) transcript: Transcript,
}

impl Play {
    /// Starts the client and waits for its connection.
    pub(super) async fn begin(
        listener: &TcpListener,
        command: Option<&Command>,
        patience: Patience,
        number: u32,
    ) -> Result<Self, NotJudged> {
        // Clients of earlier cases that have tried again; one that never stops trying is left waiting.
        for _ in 0..MOST_STALE {
            let Ok(Ok(_)) = timeout(Duration::ZERO, listener.accept()).await else { break };
        }
        let cannot = |error: std::io::Error| NotJudged::Cannot(error.to_string());
        let address = listener.local_addr().map_err(cannot)?;
        let name = format!("client{number:07}");
        let process = command.map(|command| Process::start(command, address, &name)).transpose();
        let mut process = process.map_err(NotJudged::Cannot)?;
        let wait = if process.is_some() { TO_START.max(patience.line) } else { patience.person };
        let accepted = timeout(wait, listener.accept()).await;
        let Ok(accepted) = accepted else {
            let shown = process.as_mut().map(|process| shortened(&process.last_shown())).unwrap_or_default();
            return Err(NotJudged::Cannot(format!("no client has connected to {address} within {wait:?} \"{shown}\"")));
        };
        let peer = accepted.and_then(|(stream, _)| Peer::over(stream)).map_err(cannot)?;
        let (session, transcript) = (Session::Fresh, Transcript::default());
        let other_name = format!("other{number:07}");
        Ok(Self { process, peer: Some(peer), session, patience, other_name, transcript })
    }

    pub(super) async fn case(&mut self, case: &Case, say: &mut impl FnMut(&str)) -> Result<(), Failure> {
        let mut result = Ok(());
        for step in &case.steps {
            result = self.step(step, say).await.map_err(|wrong| (wrong, step));
            if result.is_err() {
                break;
            }
        }
        let crashed = self.process.as_mut().is_some_and(Process::has_crashed);
        if let (Ok(()), true, Some(last)) = (&result, crashed, case.steps.last()) {
            result = Err((Wrong::new("the client was ended by a signal"), last));
        }
        result.map_err(|(wrong, step)| {
            if let Some(process) = &self.process {
                self.transcript.received('O', &process.last_shown(), Mark::Fine);
            }
            let file = case.place.rsplit_once(':').map_or(case.place.as_str(), |(file, _)| file);
            Failure {
                clause: wrong
                    .clause
                    .map(str::to_owned)
                    .or_else(|| step.clause.clone())
                    .or_else(|| clauses::about(&step.act, &case.clauses))
                    .unwrap_or_else(|| case.clauses[0].clone()),
                what: wrong.what,
                place: format!("{file}:{}", step.at),
                transcript: std::mem::take(&mut self.transcript),
            }
        })
    }

    async fn step(&mut self, step: &Step, say: &mut impl FnMut(&str)) -> Result<(), Wrong> {
        let patience = if self.process.is_some() { self.patience.line } else { self.patience.person };
        let until = after(step.within.unwrap_or(patience));
        match (step.who, &step.act) {
            ('S', Act::Login) => self.login(until, say).await,
            ('S', Act::Refuse) => self.refuse(until, say).await,
            ('S', Act::Send(bytes)) => self.send(bytes, usize::MAX, until).await,
            ('S', Act::SendEach(bytes)) => self.send(bytes, 1, until).await,
            ('S', Act::HalfClose) => {
                self.transcript.event('S', "the server is gone", Mark::Fine);
                if let Some(peer) = &mut self.peer {
                    peer.half_close().await;
                }
                Ok(())
            }
            ('S', Act::Reset) => {
                self.transcript.event('S', "the server resets the connection", Mark::Fine);
                self.peer.take().into_iter().for_each(Peer::reset);
                Ok(())
            }
            ('S', Act::Expect(line)) => self.expect(line, until).await,
            ('S', Act::Said(text)) => self.expect(&self.session.message(text), until).await,
            ('S', Act::ExpectEof) => self.expect_end(until).await,
            ('S', Act::Nothing(time)) => self.expect_nothing(after(*time)).await,
            ('T', Act::Send(bytes)) => self.types(bytes, until, say).await,
            ('T', Act::HalfClose) => {
                self.stops_typing(say);
                Ok(())
            }
            ('O', act) => self.screen(act, until).await,
            (who, act) => Err(Wrong::new(format!("{who} cannot do {act:?}: the case is wrong"))),
        }
    }

    /// Hears a login of whichever kind, and welcomes.
    async fn login(&mut self, until: Instant, say: &mut impl FnMut(&str)) -> Result<(), Wrong> {
        let mut asked = false;
        while !self.session.is_open() {
            // A guest's client may have nothing to say before its user has.
            let first = if asked || self.session != Session::Fresh { until } else { after(TO_SPEAK) };
            let text = match self.next(first).await {
                Err(Got::Silent) if !asked && self.session == Session::Fresh => {
                    asked = true;
                    self.types(b"hello\n", until, say).await?;
                    continue;
                }
                Err(got) => return Err(self.nothing(&got, "a first line")),
                Ok(text) => text,
            };
            let answer = match self.session.login(&text) {
                Ok(answer) => answer,
                Err(wrong) => return Err(wrong),
            };
            self.answer(&answer, until).await;
        }
        Ok(())
    }

    /// Refuses the name. The client offers another, of its own or its user's, or leaves; nothing else.
    async fn refuse(&mut self, until: Instant, say: &mut impl FnMut(&str)) -> Result<(), Wrong> {
        while !self.session.is_open() {
            let text = self.next(until).await.map_err(|got| self.nothing(&got, "a first line"))?;
            let answer = self.session.login(&text)?;
            if !self.session.is_open() {
                self.answer(&answer, until).await;
            }
        }
        if self.session == Session::Plain {
            return Err(Wrong::by("3.2", "a guest has no name to refuse: start the client with {name}"));
        }
        self.session = Session::Asked;
        self.answer(&["NAME FAILURE".to_owned(), "NAME REQ".to_owned()], until).await;
        let other = format!("{}\n", self.other_name);
        self.types(other.as_bytes(), until, say).await?;
        match self.next(until).await {
            Ok(text) => {
                let answer = self.session.login(&text)?;
                self.answer(&answer, until).await;
                Ok(())
            }
            Err(Got::Eof(_)) => {
                self.transcript.event('S', "the client leaves", Mark::Fine);
                Ok(())
            }
            Err(got) => Err(self.nothing(&got, "another name, or the end")),
        }
    }

    async fn send(&mut self, bytes: &[u8], piece: usize, until: Instant) -> Result<(), Wrong> {
        self.transcript.sent('S', bytes);
        if let Some(peer) = &mut self.peer {
            peer.send(bytes, piece, until).await;
        }
        Ok(())
    }

    pub(super) async fn answer(&mut self, lines: &[String], until: Instant) {
        for line in lines {
            // Nothing can go wrong here: what is sent to a client that is gone is lost.
            let _ = self.send(format!("{line}\r\n").as_bytes(), usize::MAX, until).await;
        }
    }

    async fn types(&mut self, bytes: &[u8], until: Instant, say: &mut impl FnMut(&str)) -> Result<(), Wrong> {
        let line: Vec<u8> = bytes.strip_suffix(b"\r\n").map_or(bytes.to_vec(), |line| [line, b"\n"].concat());
        self.transcript.sent('T', &line);
        match &mut self.process {
            Some(process) => process.write(&line, until).await,
            None => say(&format!("  type: {}", shortened(line.trim_ascii_end()))),
        }
        Ok(())
    }

    fn stops_typing(&mut self, say: &mut impl FnMut(&str)) {
        self.transcript.event('T', "no more input", Mark::Fine);
        match &mut self.process {
            Some(process) => process.close_input(),
            None => say("  end the input, or leave in the way of your client"),
        }
    }
}
