//! Plays one case against a client, step by step.

use std::{sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    time::{Instant, sleep, timeout},
};

use super::{
    ClientOptions, Command,
    process::{Exit, LAST_OUTPUT, Process},
    session::Session,
};
use crate::{
    Failure, NotJudged,
    case::{Act, Case, Settings, Step},
    clock::deadline_after,
    play::{LineRead, Peer, Sent, Violation},
    transcript::{Mark, Transcript, shortened},
};

/// How long a started client may take to connect, even if the timeout for lines is shorter.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// The most connections of earlier clients that are closed before a case starts.
const MAX_STALE_CONNECTIONS: usize = 1_024;

/// How long to wait for the first line of a client before typing `hello`. A plain client may send nothing until its
/// user types.
const LOGIN_SILENCE: Duration = Duration::from_millis(300);

/// One case while it is played: the client, its connection, and what was exchanged.
pub(super) struct CaseRun {
    /// `None`: a person has started the client and types.
    pub(super) process: Option<Process>,
    /// The connection. `None` after a reset.
    pub(super) peer: Option<Peer>,
    pub(super) session: Session,
    /// The listener of this case. A client may connect again.
    listener: Arc<TcpListener>,
    /// How many `PING`s the client has not answered.
    pub(super) pings: u32,
    /// Whether the judge has ended the connection.
    pub(super) is_over: bool,
    /// Whether the judge has typed `hello`, because the client sent no first line. The client may still send it.
    pub(super) has_typed_hello: bool,
    options: ClientOptions,
    /// The name to type after a refused name.
    second_name: String,
    pub(super) transcript: Transcript,
}

impl CaseRun {
    /// Starts the client and waits for its connection.
    pub(super) async fn start(
        listener: Arc<TcpListener>,
        command: Option<&Command>,
        options: ClientOptions,
        number: u32,
    ) -> Result<Self, NotJudged> {
        // Clients of earlier cases may have reconnected. The limit is for a client that never stops.
        for _ in 0..MAX_STALE_CONNECTIONS {
            let Ok(Ok(_)) = timeout(Duration::ZERO, listener.accept()).await else { break };
        }
        let failed = |error: std::io::Error| NotJudged::Setup(error.to_string());
        let address = listener.local_addr().map_err(failed)?;
        let name = format!("client{number:07}");
        let process = command.map(|command| Process::start(command, address, &name)).transpose();
        let mut process = process.map_err(NotJudged::Setup)?;
        let mut ended = None;
        let wait = if process.is_some() { START_TIMEOUT.max(options.line) } else { options.person };
        let accepted = tokio::select! {
            biased;
            accepted = listener.accept() => Some(accepted),
            exit = exited(process.as_mut()) => {
                ended = exit;
                timeout(Duration::ZERO, listener.accept()).await.ok()
            }
            () = sleep(wait) => None,
        };
        let Some(accepted) = accepted else {
            let problem = match ended {
                Some(exit) => format!("your client ended {exit} before it connected"),
                None => format!("no client has connected to {address} within {wait:?}"),
            };
            let output = match &mut process {
                Some(process) => {
                    if ended.is_some() {
                        process.wait_for_end(deadline_after(LAST_OUTPUT)).await;
                    }
                    shortened(&process.output_tail())
                }
                None => String::new(),
            };
            let output = if output.is_empty() { output } else { format!("; it wrote: \"{output}\"") };
            return Err(NotJudged::Setup(format!("{problem}{output}")));
        };
        let peer = accepted.and_then(|(stream, _)| Peer::from_stream(stream)).map_err(failed)?;
        Ok(Self {
            process,
            peer: Some(peer),
            session: Session::Fresh,
            listener,
            pings: 0,
            is_over: false,
            has_typed_hello: false,
            options,
            second_name: format!("other{number:07}"),
            transcript: Transcript::default(),
        })
    }

    /// Runs the steps up to the first failure. A client that a signal killed fails its case.
    pub(super) async fn play(&mut self, case: &Case, prompt: &mut impl FnMut(&str)) -> Result<Transcript, Failure> {
        let mut result = Ok(());
        for step in &case.steps {
            result = self.step(step, prompt).await.map_err(|violation| (violation, step));
            if result.is_err() {
                break;
            }
        }
        let was_killed = self.process.as_mut().is_some_and(Process::was_killed_by_signal);
        if let (Ok(()), true, Some(last)) = (&result, was_killed, case.steps.last()) {
            result = Err((Violation::new("a signal killed the client"), last));
        }
        let Err((violation, step)) = result else { return Ok(std::mem::take(&mut self.transcript)) };
        if let Some(process) = &self.process {
            match process.output_tail() {
                output if output.is_empty() => self.transcript.event('O', "nothing is printed", Mark::Fine),
                output => drop(self.transcript.received('O', &output, Mark::Fine)),
            }
        }
        let file = case.place.rsplit_once(':').map_or(case.place.as_str(), |(file, _)| file);
        Err(Failure {
            clause: violation.clause_in(case, Some(step)),
            what: violation.what,
            place: format!("{file}:{}", step.at),
            transcript: std::mem::take(&mut self.transcript),
        })
    }

    async fn step(&mut self, step: &Step, prompt: &mut impl FnMut(&str)) -> Result<(), Violation> {
        let line_timeout = if self.process.is_some() { self.options.line } else { self.options.person };
        let deadline = deadline_after(step.within.map_or(line_timeout, |within| within.resolve(&Settings::default())));
        match (step.who, &step.act) {
            ('S', Act::Login) => self.login(deadline, prompt).await,
            ('S', Act::Refuse) => self.refuse(deadline, prompt).await,
            ('S', Act::Send(bytes)) => self.send(bytes, usize::MAX, deadline).await,
            ('S', Act::SendEach(bytes)) => self.send(bytes, 1, deadline).await,
            ('S', Act::SendMany(count)) => {
                // One MiB after the other, so that the judge keeps no more than that.
                let part = vec![b'x'; 1 << 20];
                for _ in 0..*count {
                    let wait = step.within.map_or(line_timeout, |within| within.resolve(&Settings::default()));
                    self.send(&part, usize::MAX, deadline_after(wait)).await?;
                }
                Ok(())
            }
            ('S', Act::HalfClose) => {
                self.transcript.event('S', "the server closes its sending side", Mark::Fine);
                self.is_over = true;
                if let Some(peer) = &mut self.peer {
                    peer.half_close().await;
                }
                Ok(())
            }
            ('S', Act::ExpectOpen(time)) => self.expect_open(deadline_after(time.resolve(&Settings::default()))).await,
            ('S', Act::Again(time)) => self.again(time.resolve(&Settings::default()), prompt).await,
            ('S', Act::Reset) => {
                self.is_over = true;
                self.transcript.event('S', "the server resets the connection", Mark::Fine);
                self.peer.take().into_iter().for_each(Peer::reset);
                Ok(())
            }
            ('S', Act::Expect(line)) => self.expect(line, deadline).await,
            ('S', Act::ExpectMessage(text)) => self.expect(&self.session.message(text), deadline).await,
            ('S', Act::ExpectEof) => self.expect_end(deadline).await,
            ('S', Act::ExpectNothing(time)) => {
                self.expect_nothing(deadline_after(time.resolve(&Settings::default()))).await
            }
            ('T', Act::Send(bytes)) => self.type_line(bytes, deadline, prompt).await,
            ('T', Act::HalfClose) => {
                self.end_input(prompt);
                Ok(())
            }
            ('O', act) => self.check_screen(act, deadline).await,
            (who, act) => Err(Violation::new(format!("{who} cannot do {act:?}: correct the case"))),
        }
    }

    /// Accepts a login, named or plain, and welcomes the client.
    async fn login(&mut self, deadline: Instant, prompt: &mut impl FnMut(&str)) -> Result<(), Violation> {
        while !self.session.is_open() {
            // A plain client may wait for its user.
            let read_deadline = if self.has_typed_hello || self.session != Session::Fresh {
                deadline
            } else {
                deadline_after(LOGIN_SILENCE)
            };
            let text = match self.next(read_deadline).await {
                Err(LineRead::TimedOut) if !self.has_typed_hello && self.session == Session::Fresh => {
                    self.has_typed_hello = true;
                    self.type_line(b"hello\n", deadline, prompt).await?;
                    continue;
                }
                Err(read) => return Err(self.missing_line(&read, "a first line")),
                Ok(text) => text,
            };
            // The client has sent it now.
            self.has_typed_hello &= text != "hello";
            let answer = self.take_login(&text)?;
            self.answer(&answer, deadline).await;
        }
        if let Some(process) = &mut self.process {
            process.remember_memory();
        }
        Ok(())
    }

    /// Waits for another connection of the client, and logs it in. Does nothing if the client does not connect again.
    async fn again(&mut self, wait: Duration, prompt: &mut impl FnMut(&str)) -> Result<(), Violation> {
        let listener = Arc::clone(&self.listener);
        let accepted = tokio::select! {
            biased;
            accepted = listener.accept() => accepted.ok(),
            _ = exited(self.process.as_mut()) => None,
            () = sleep(wait) => None,
        };
        let Some((stream, _)) = accepted else { return Ok(()) };
        self.transcript.event('S', "the client connects again", Mark::Fine);
        self.peer = Peer::from_stream(stream).ok();
        self.session = Session::Fresh;
        self.login(deadline_after(self.options.line), prompt).await
    }

    /// Refuses the client's name, and types another. The client must offer a name or close.
    async fn refuse(&mut self, deadline: Instant, prompt: &mut impl FnMut(&str)) -> Result<(), Violation> {
        while !self.session.is_open() {
            let text = self.next(deadline).await.map_err(|read| self.missing_line(&read, "a first line"))?;
            let answer = self.take_login(&text)?;
            if !self.session.is_open() {
                self.answer(&answer, deadline).await;
            }
        }
        if self.session == Session::Plain {
            return Err(Violation::of("3.2", "a plain client has no name to refuse: put {name} into the command"));
        }
        self.session = Session::Asked;
        self.answer(&["NAME FAILURE".to_owned(), "NAME REQ".to_owned()], deadline).await;
        let line = format!("{}\n", self.second_name);
        self.type_line(line.as_bytes(), deadline, prompt).await?;
        match self.next(deadline).await {
            Ok(text) => {
                let answer = self.take_login(&text)?;
                self.answer(&answer, deadline).await;
                Ok(())
            }
            Err(LineRead::Eof(_)) => {
                self.transcript.event('S', "the client leaves", Mark::Fine);
                Ok(())
            }
            Err(read) => Err(self.missing_line(&read, "another name, or close")),
        }
    }

    async fn send(&mut self, bytes: &[u8], max_write: usize, deadline: Instant) -> Result<(), Violation> {
        self.transcript.sent('S', bytes);
        self.pings += u32::from(bytes == b"PING\r\n");
        let Some(peer) = &mut self.peer else { return Ok(()) };
        if peer.send(bytes, max_write, deadline).await == Sent::Stalled {
            self.transcript.event('S', "the client does not read", Mark::Wrong);
            return Err(Violation::new("the client should read what the server sends, but does not"));
        }
        Ok(())
    }

    /// Sends these lines to the client.
    pub(super) async fn answer(&mut self, lines: &[String], deadline: Instant) {
        for line in lines {
            // Never fails: a closed connection shows at the next read.
            let _ = self.send(format!("{line}\r\n").as_bytes(), usize::MAX, deadline).await;
        }
    }

    /// Types the line, or asks the person to type it.
    async fn type_line(
        &mut self,
        bytes: &[u8],
        deadline: Instant,
        prompt: &mut impl FnMut(&str),
    ) -> Result<(), Violation> {
        let line: Vec<u8> = bytes.strip_suffix(b"\r\n").map_or(bytes.to_vec(), |line| [line, b"\n"].concat());
        self.transcript.sent('T', &line);
        match &mut self.process {
            Some(process) => process.write(&line, deadline).await,
            None => prompt(&format!("  type: {}", shortened(line.trim_ascii_end()))),
        }
        Ok(())
    }

    /// Closes the client's standard input, or asks the person to end the input.
    fn end_input(&mut self, prompt: &mut impl FnMut(&str)) {
        self.transcript.event('T', "end of input", Mark::Fine);
        match &mut self.process {
            Some(process) => process.close_input(),
            None => prompt("  end the input, or quit your client"),
        }
    }
}

/// Waits for the exit of the process. Without a process, waits forever.
async fn exited(process: Option<&mut Process>) -> Option<Exit> {
    match process {
        Some(process) => process.wait_exit(deadline_after(Duration::MAX)).await,
        None => std::future::pending().await,
    }
}
