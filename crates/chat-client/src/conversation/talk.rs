//! Runs a conversation: joins the input with the sessions, and shows the events.

use std::{io, time::Duration};

use futures::{FutureExt, Stream, StreamExt, future::OptionFuture};
use tokio::{
    io::AsyncWrite,
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{
    ConversationEnd, ConversationReport, Input, InputError, Screen, command,
    outgoing::Outgoing,
    unsent::{self, Unsent},
};
use crate::{CloseReason, Event, Reconnecting, SessionEvent};

/// Number of events or lines that are handled before anything else gets its turn.
const MAX_AT_ONCE: usize = 256;
/// Time for the last answers when `until` ends the conversation.
const LAST_ANSWERS_TIMEOUT: Duration = Duration::from_secs(2);
/// Time for the last output then.
const LAST_OUTPUT_TIMEOUT: Duration = Duration::from_secs(1);

/// Runs a conversation until the input ends or says `/quit`, the output is closed, `until` is done, or the last session
/// ends.
///
/// `input` is usually [`inputs`](super::inputs) or [`texts`](super::texts) of a stream. Events go to the output of
/// `screen`, and messages about the sessions to its status. When the input ends, it waits for all answers and says `BYE`.
///
/// It waits for nothing but events: an output that is not read stops neither the end of the input nor `until`. After
/// `until`, it waits for the last answers for 2 seconds at most, and for the output for one more.
///
/// It reads no more events than the output takes, and the input only as fast as the server answers. So no event is
/// missed while the server bears a slow reader (clause 6.5). Lines that a session did not send are sent in the next one.
///
/// ```
/// use std::future::pending;
///
/// use chat_client::{
///     CloseReason, Login, Reconnecting,
///     conversation::{ConversationEnd, Screen, texts, talk},
/// };
/// # use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
/// #
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (stream, server) = tokio::io::duplex(4096);
/// # tokio::spawn(async move {
/// #     let mut server = BufReader::new(server);
/// #     for reply in ["NAME OK\r\nWELCOME\r\n", "FROM ann MSG hello\r\nOK\r\n", "BYE\r\n"] {
/// #         server.read_line(&mut String::new()).await?;
/// #         server.write_all(reply.as_bytes()).await?;
/// #     }
/// #     std::io::Result::Ok(())
/// # });
/// let (client, events) = Login::over(stream).log_in("bob".parse()?).await?;
/// let mut sessions = Reconnecting::over(client, events); // or `Reconnecting::new`
/// let (mut output, mut status) = (Vec::new(), Vec::new());
/// let mut screen = Screen::new(&mut output, &mut status);
/// let report = talk(&mut sessions, texts(&b"hi all\n"[..]), &mut screen, pending()).await;
/// assert!(matches!(report.end, ConversationEnd::Closed(CloseReason::Left)));
/// assert_eq!(output, b"<ann> hello\n");
/// # Ok(())
/// # }
/// ```
pub async fn talk<I, O, E>(
    sessions: &mut Reconnecting,
    input: I,
    screen: &mut Screen<O, E>,
    until: impl Future<Output = ()>,
) -> ConversationReport
where
    I: Stream<Item = Result<Input, InputError>>,
    O: AsyncWrite + Unpin,
    E: AsyncWrite + Unpin,
{
    let mut input = std::pin::pin!(input);
    let mut until = std::pin::pin!(until);
    let mut is_until_done = false;
    let mut conversation = Conversation::new(sessions.client().cloned(), screen);
    let end = loop {
        conversation.leave_if_done();
        if conversation.stop.is_some() && conversation.outgoing.client().is_none() {
            break ConversationEnd::Stopped;
        }
        let end = tokio::select! {
            event = sessions.next(), if conversation.may_show() => {
                let mut end = conversation.on_session_event(event);
                // What has arrived together is shown in one write.
                for _ in 1..MAX_AT_ONCE {
                    if end.is_some() || !conversation.may_show() {
                        break;
                    }
                    let Some(event) = sessions.next().now_or_never() else { break };
                    end = conversation.on_session_event(event);
                }
                end
            }
            line = input.next(), if conversation.reads_input() => {
                conversation.on_line(line);
                for _ in 1..MAX_AT_ONCE {
                    let next = if conversation.reads_input() { input.next().now_or_never() } else { None };
                    let Some(line) = next else { break };
                    conversation.on_line(line);
                }
                None
            }
            () = conversation.outgoing.has_room() => {
                conversation.outgoing.send();
                None
            }
            has_roster = conversation.outgoing.next_roster() => {
                conversation.on_roster(has_roster);
                None
            }
            () = conversation.screen.flush(), if !conversation.screen.is_flushed() => {
                conversation.on_flushed();
                None
            }
            () = &mut until, if !is_until_done => {
                is_until_done = true;
                conversation.stop();
                None
            }
            // The session ends earlier, by itself. This is for an output that does not take its last events.
            Some(()) = OptionFuture::from(conversation.stop.map(|stop| sleep_until(stop + LAST_OUTPUT_TIMEOUT))) => {
                Some(ConversationEnd::Closed(CloseReason::TimedOut))
            }
        };
        if let Some(end) = end {
            break end;
        }
    };
    // Without any session, the end says that nothing was sent.
    if !conversation.is_input_over && conversation.had_session {
        let rest = unsent::count(input).await;
        conversation.unsent.count += rest.count;
        conversation.unsent.may_be_more |= rest.may_be_more;
    }
    conversation.summarize(&end).await;
    let must_hurry = conversation.stop.is_some();
    let hurry = async {
        if !(must_hurry || is_until_done) {
            until.await;
        }
        sleep(LAST_OUTPUT_TIMEOUT).await;
    };
    tokio::select! {
        () = conversation.screen.flush() => conversation.on_flushed(),
        () = hurry => conversation.screen.give_up(),
    }
    conversation.finish(end).await
}

struct Conversation<'a, O, E> {
    screen: &'a mut Screen<O, E>,
    outgoing: Outgoing,
    /// Number of lines that were read.
    line: u64,
    /// Number of lines that are no messages.
    invalid: u64,
    unsent: Unsent,
    is_input_over: bool,
    /// When the last answers must have arrived.
    stop: Option<Instant>,
    has_left: bool,
    /// Whether a session was open before.
    had_session: bool,
    input_failure: Option<io::ErrorKind>,
    output_failure: Option<io::ErrorKind>,
}

impl<'a, O: AsyncWrite + Unpin, E: AsyncWrite + Unpin> Conversation<'a, O, E> {
    fn new(client: Option<crate::ChatClient>, screen: &'a mut Screen<O, E>) -> Self {
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
    fn may_show(&self) -> bool {
        self.screen.has_room(self.stop.is_some())
    }

    /// Whether to read a line. After the stop, lines are counted only.
    fn reads_input(&self) -> bool {
        let may_send = self.outgoing.client().is_some() && self.outgoing.is_empty();
        !self.is_input_over && (may_send || self.stop.is_some()) && self.screen.has_status_room()
    }

    /// Ends the conversation soon: sends nothing more, and waits for the last answers.
    fn stop(&mut self) {
        self.stop.get_or_insert_with(|| Instant::now() + LAST_ANSWERS_TIMEOUT);
        self.has_left = false;
    }

    fn leave_if_done(&mut self) {
        let Some(client) = self.outgoing.client().filter(|_| !self.has_left) else { return };
        match self.stop {
            Some(stop) => client.leave_within(stop.saturating_duration_since(Instant::now())),
            None if self.is_input_over && self.outgoing.is_empty() => client.start_to_leave(),
            None => return,
        }
        self.has_left = true;
    }

    fn on_session_event(&mut self, event: Option<SessionEvent>) -> Option<ConversationEnd> {
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

    fn on_line(&mut self, line: Option<Result<Input, InputError>>) {
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
                self.screen.status("guests cannot ask who is here: --name NAME gives you a name");
            }
            Ok(Input::Clients) => self.outgoing.request_roster(),
            Ok(Input::Quit) => self.is_input_over = true,
            Ok(Input::Help) => command::HELP.lines().for_each(|line| self.screen.status(line)),
            Ok(Input::UnknownCommand(word)) => {
                self.not_sent(&format!(
                    "no such command: {word} (/help lists them; to send it as text, write /{word})"
                ));
            }
            Ok(Input::Reconnect | Input::Name(_)) => {
                self.not_sent("that works at a terminal only: here, use the flags --reconnect and --name");
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
        self.screen.status(&format!("line {} not sent: {why}", self.line));
    }

    fn on_roster(&mut self, has_roster: bool) {
        if !has_roster {
            self.screen.status("the server does not tell who is here");
        }
    }

    /// Reports a failed output once. A closed one is no error: its reader wanted no more.
    fn on_flushed(&mut self) {
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
    async fn summarize(&mut self, end: &ConversationEnd) {
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

    async fn finish(mut self, end: ConversationEnd) -> ConversationReport {
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
