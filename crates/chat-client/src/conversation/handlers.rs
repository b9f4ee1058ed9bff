//! What a conversation does at each event, line and deadline. Only its last steps wait, for a limited time.

use std::{io, time::Duration};

use tokio::{
    io::AsyncWrite,
    time::{Instant, timeout},
};

use super::{
    ConversationEnd, ConversationReport, Input, InputError, Screen, command,
    outgoing::Outgoing,
    talk::LAST_OUTPUT_TIMEOUT,
    unsent::{self, Unsent},
};
use crate::{ChatClient, CloseReason, Event, SessionEvent};

/// Time for the last answers when the conversation has to end.
const LAST_ANSWERS_TIMEOUT: Duration = Duration::from_secs(2);

/// A conversation between two events.
pub(super) struct Conversation<'a, O, E> {
    pub(super) screen: &'a mut Screen<O, E>,
    pub(super) outgoing: Outgoing,
    /// Number of lines that were read.
    line: u64,
    /// Number of lines that are no messages.
    invalid: u64,
    pub(super) unsent: Unsent,
    pub(super) is_input_over: bool,
    /// When the last answers must have arrived.
    pub(super) stop: Option<Instant>,
    has_left: bool,
    /// Whether a session was open before.
    pub(super) had_session: bool,
    input_failure: Option<io::ErrorKind>,
    output_failure: Option<io::ErrorKind>,
}

impl<'a, O: AsyncWrite + Unpin, E: AsyncWrite + Unpin> Conversation<'a, O, E> {
    pub(super) fn new(client: Option<ChatClient>, screen: &'a mut Screen<O, E>) -> Self {
        let had_session = client.is_some();
        let mut outgoing = Outgoing::default();
        if let Some(client) = client {
            outgoing.connected(client);
        }
        Self {
            screen,
            outgoing,
            line: 0,
            invalid: 0,
            unsent: Unsent::default(),
            is_input_over: false,
            stop: None,
            has_left: false,
            had_session,
            input_failure: None,
            output_failure: None,
        }
    }

    /// Whether to take what has to be shown. The last events are taken although the output is not read, because answers
    /// are among them.
    pub(super) fn may_show(&self) -> bool {
        self.screen.has_room(self.stop.is_some())
    }

    /// Whether to read a line. After the stop, lines are counted only.
    pub(super) fn reads_input(&self) -> bool {
        let may_send = self.outgoing.client().is_some() && self.outgoing.is_empty();
        !self.is_input_over && (may_send || self.stop.is_some()) && self.screen.has_input_room()
    }

    /// Ends the conversation soon: sends nothing more, and waits for the last answers.
    pub(super) fn stop(&mut self) {
        self.stop.get_or_insert_with(|| Instant::now() + LAST_ANSWERS_TIMEOUT);
        self.has_left = false;
    }

    pub(super) fn leave_if_done(&mut self) {
        let Some(client) = self.outgoing.client().filter(|_| !self.has_left) else { return };
        match self.stop {
            Some(stop) => client.leave_within(stop.saturating_duration_since(Instant::now())),
            None if self.is_input_over && self.outgoing.is_empty() => client.start_to_leave(),
            None => return,
        }
        self.has_left = true;
    }

    pub(super) fn on_session_event(&mut self, event: Option<SessionEvent>) -> Option<ConversationEnd> {
        let Some(event) = event else { return Some(ConversationEnd::Closed(CloseReason::Aborted)) };
        self.screen.event(&event);
        match event {
            SessionEvent::Connected { client, .. } => {
                self.outgoing.connected(client);
                self.has_left = false;
                self.had_session = true;
            }
            SessionEvent::Event(Event::Refused { text, .. }) => {
                self.screen.status(&format!("refused by the server: {text}"));
            }
            SessionEvent::Event(Event::Unknown { text, .. }) => {
                self.screen.status(&format!("unacknowledged: {text}"));
            }
            SessionEvent::Event(Event::NotSent { text, .. }) => self.outgoing.returned(text),
            SessionEvent::Event(Event::Closed(reason)) => {
                self.outgoing.over();
                return Some(ConversationEnd::Closed(reason));
            }
            SessionEvent::Lost { reason, is_last, .. } => {
                self.outgoing.over();
                let is_over = self.is_input_over && self.outgoing.is_empty();
                if is_last || is_over || self.stop.is_some() {
                    return Some(ConversationEnd::Closed(reason));
                }
                self.screen.status("reconnecting");
            }
            SessionEvent::Failed { error, retry_in: None } => return Some(ConversationEnd::OpenFailed(error)),
            SessionEvent::Failed { .. } | SessionEvent::Event(_) => {}
        }
        None
    }

    pub(super) fn on_line(&mut self, line: Option<Result<Input, InputError>>) {
        let Some(line) = line else {
            self.is_input_over = true;
            return;
        };
        self.line += 1;
        if self.stop.is_some() {
            self.unsent.count += u64::from(unsent::is_message(&line));
            return;
        }
        let is_guest = self.outgoing.client().is_none_or(|client| client.name().is_none());
        match line {
            Ok(Input::Empty) => {}
            Ok(Input::Say(text)) if is_guest && text.as_str() == "BYE" => {
                self.not_sent("a guest cannot say BYE: --name NAME gives you a name");
            }
            Ok(Input::Say(text)) => self.outgoing.say(text),
            Ok(Input::Clients) if is_guest => {
                self.screen.input_failed("guests cannot ask who is here: --name NAME gives you a name");
            }
            Ok(Input::Clients) => self.outgoing.request_roster(),
            Ok(Input::Quit) => self.is_input_over = true,
            Ok(Input::Help) => command::HELP.lines().for_each(|line| self.screen.status(line)),
            Ok(Input::UnknownCommand(word)) => {
                self.not_sent(&format!(
                    "no such command here: {word} (/help lists them; to send it as text, write /{word})"
                ));
            }
            Ok(Input::Malformed(why)) => self.not_sent(&why),
            Ok(Input::InvalidText(why)) => self.not_sent(&why.to_string()),
            Err(InputError::Io(kind)) => {
                self.screen.status(&format!("cannot read the input: {kind}"));
                self.input_failure = Some(kind);
                self.is_input_over = true;
            }
            Err(error) => self.not_sent(&error.to_string()),
        }
    }

    fn not_sent(&mut self, why: &str) {
        self.invalid += 1;
        self.screen.input_failed(&format!("line {} not sent: {why}", self.line));
    }

    pub(super) fn on_roster(&mut self, has_roster: bool) {
        if !has_roster {
            self.screen.input_failed("the server does not tell who is here");
        }
    }

    /// Reports a failed output once. A closed one is no error: its reader wanted no more.
    pub(super) fn on_flushed(&mut self) {
        let Some(kind) = self.screen.failure().filter(|_| self.output_failure.is_none()) else { return };
        self.output_failure = Some(kind);
        match kind {
            io::ErrorKind::BrokenPipe => {}
            io::ErrorKind::TimedOut => self.screen.status("the output was not read: its last lines are lost"),
            kind => self.screen.status(&format!("cannot write the output: {kind}")),
        }
        self.stop();
    }

    /// Adds the last status lines.
    pub(super) async fn summarize(&mut self, end: &ConversationEnd) {
        if let Some(client) = self.outgoing.client() {
            // It ends within the time that it was given. Its events are not taken any more.
            drop(timeout(LAST_OUTPUT_TIMEOUT, client.closed()).await);
        }
        self.outgoing.over();
        self.unsent.count += self.outgoing.unsent();
        if let ConversationEnd::Closed(reason @ CloseReason::GuestsRefused) = end {
            self.screen.status(&reason.to_string());
        }
        if self.outgoing.unacknowledged > 0 {
            let count = self.outgoing.unacknowledged;
            self.screen.status(&format!("{count} unacknowledged (delivered or not, nobody can say)"));
        }
        if self.unsent.count > 0 {
            let at_least = if self.unsent.may_be_more { "at least " } else { "" };
            let lines = if self.unsent.count == 1 { "line of the input was" } else { "lines of the input were" };
            self.screen.status(&format!("{at_least}{} {lines} not sent", self.unsent.count));
        }
    }

    pub(super) async fn finish(mut self, end: ConversationEnd) -> ConversationReport {
        self.on_flushed();
        if !self.screen.is_flushed() {
            drop(timeout(LAST_OUTPUT_TIMEOUT, self.screen.flush()).await);
        }
        ConversationReport {
            end,
            refused: self.invalid + self.outgoing.refused,
            unacknowledged: self.outgoing.unacknowledged,
            unsent: self.unsent.count,
            failure: self.input_failure.or(self.screen.failure()),
        }
    }
}
