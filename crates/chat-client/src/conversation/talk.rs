//! Runs a conversation: joins the input with the session, and shows the events.

use std::{io, iter, time::Duration};

use chat_proto::Text;
use futures::{Stream, StreamExt, future::OptionFuture};
use tokio::{
    io::AsyncWrite,
    time::{Instant, sleep_until},
};

use super::{
    ConversationReport, Input, InputError, Screen, command,
    pending::{Outcome, Pending},
};
use crate::{ChatClient, CloseReason, Event, Events, client::RequestPermit};

/// Time for the last answers when `until` ends the conversation.
const LAST_ANSWERS_TIMEOUT: Duration = Duration::from_secs(1);

/// Runs a conversation until the input ends or says `/quit`, the output is closed, `until` is done, or the session
/// ends.
///
/// `input` is usually [`inputs`](super::inputs) of a stream. Events go to the output of `screen`, and messages about the session to
/// its status. When the input ends, it waits for all answers and says `BYE`. After `until` it waits for at most a
/// second.
///
/// It reads events all the time, so none is missed while the output accepts data.
///
/// ```
/// use std::future::pending;
///
/// use chat_client::{
///     CloseReason, Login,
///     conversation::{Screen, inputs, talk},
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
/// let (client, mut events) = Login::over(stream).log_in("bob".parse()?).await?;
/// let (mut output, mut status) = (Vec::new(), Vec::new());
/// let mut screen = Screen::new(&mut output, &mut status);
/// let report = talk(&client, &mut events, inputs(&b"hi all\n"[..]), &mut screen, pending()).await;
/// assert_eq!(report.reason, CloseReason::Left);
/// assert_eq!(output, b"<ann> hello\n");
/// # Ok(())
/// # }
/// ```
pub async fn talk<I, O, E>(
    client: &ChatClient,
    events: &mut Events,
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
    let mut deadline = None;
    let mut conversation = Conversation {
        client,
        screen,
        pending: Pending::default(),
        refused: 0,
        unacknowledged: Vec::new(),
        failure: None,
    };
    // Reserve before reading a line: then the input is read only as fast as the server answers.
    let mut permit: Option<RequestPermit<'_>> = None;
    let (mut reads_input, mut has_left) = (true, false);
    let reason = loop {
        tokio::select! {
            event = events.next() => match event {
                Some(event) => {
                    if let Some(reason) = conversation.show(event, events).await {
                        break reason;
                    }
                }
                None => break CloseReason::Aborted,
            },
            reserved = client.reserve_request(), if permit.is_none() && !has_left => match reserved {
                Some(reserved) if reads_input => permit = Some(reserved),
                Some(reserved) => {
                    reserved.leave();
                    has_left = true;
                }
                None => has_left = true,
            },
            line = input.next(), if permit.is_some() && reads_input => match (line, permit.take()) {
                (Some(line), Some(reserved)) => permit = conversation.take(line, reserved, &mut reads_input).await,
                _ => reads_input = false,
            },
            () = &mut until, if deadline.is_none() => {
                deadline = Some(Instant::now() + LAST_ANSWERS_TIMEOUT);
                reads_input = false;
            }
            Some(()) = OptionFuture::from(deadline.map(sleep_until)) => break CloseReason::TimedOut,
            outcome = conversation.pending.front(), if !conversation.pending.is_empty() => {
                conversation.settle(outcome).await;
            }
        }
        if conversation.screen.failure().is_some() {
            reads_input = false;
        }
        if !reads_input {
            permit = None;
        }
    };
    drop(permit);
    conversation.finish(reason, !reads_input).await
}

struct Conversation<'a, O, E> {
    client: &'a ChatClient,
    screen: &'a mut Screen<O, E>,
    pending: Pending,
    refused: usize,
    unacknowledged: Vec<Text>,
    failure: Option<io::ErrorKind>,
}

impl<'a, O: AsyncWrite + Unpin, E: AsyncWrite + Unpin> Conversation<'a, O, E> {
    /// Shows an event and all that are already buffered, in one write.
    async fn show(&mut self, first: Event, events: &mut Events) -> Option<CloseReason> {
        const MAX_EVENTS_PER_WRITE: usize = 256;
        let mut close_reason = None;
        for event in iter::once(first).chain(iter::from_fn(|| events.ready())).take(MAX_EVENTS_PER_WRITE) {
            self.screen.event(&event);
            if let Event::Closed(reason) = event {
                close_reason = Some(reason);
            }
        }
        self.screen.flush().await;
        close_reason
    }

    /// Executes a line. Returns the permit if it was not used.
    async fn take(
        &mut self,
        input: Result<Input, InputError>,
        permit: RequestPermit<'a>,
        reads_input: &mut bool,
    ) -> Option<RequestPermit<'a>> {
        let input = match input {
            Ok(input) => input,
            Err(InputError::Io(kind)) => {
                self.screen.status(&format!("cannot read the input: {kind}"));
                self.failure = Some(kind);
                *reads_input = false;
                self.screen.flush().await;
                return None;
            }
            Err(error) => return self.not_sent(&error.to_string(), permit).await,
        };
        let guest = self.client.name().is_none();
        match input {
            Input::Empty => return Some(permit),
            Input::Say(text) if guest && text.as_str() == "BYE" => {
                return self
                    .not_sent("a guest cannot say BYE: /quit leaves, --name NAME gives you a name", permit)
                    .await;
            }
            Input::Say(text) => self.pending.message(text.clone(), permit.say(text)),
            Input::Clients if guest => {
                self.screen.status("guests cannot ask who is here: come with a name (--name NAME)");
                self.screen.flush().await;
                return Some(permit);
            }
            Input::Clients => self.pending.roster(permit.roster()),
            Input::Quit => *reads_input = false,
            Input::Help => {
                command::HELP.lines().for_each(|line| self.screen.status(line));
                self.screen.flush().await;
                return Some(permit);
            }
            Input::UnknownCommand(word) => {
                let hint = format!("no such command: {word} (/help tells them; to say it, write /{word})");
                return self.not_sent(&hint, permit).await;
            }
            Input::Reconnect | Input::Name(_) => {
                return self
                    .not_sent("that works at a terminal only: here, use the flags --reconnect and --name", permit)
                    .await;
            }
            Input::Malformed(why) => return self.not_sent(&why, permit).await,
            Input::InvalidText(why) => return self.not_sent(&why.to_string(), permit).await,
        }
        None
    }

    async fn not_sent(&mut self, why: &str, permit: RequestPermit<'a>) -> Option<RequestPermit<'a>> {
        self.refused += 1;
        self.screen.status(&format!("not sent: {why}"));
        self.screen.flush().await;
        Some(permit)
    }

    async fn settle(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Done => return,
            Outcome::Unanswered(text) => self.unacknowledged.push(text),
            Outcome::Refused(text) => {
                self.refused += 1;
                self.screen.status(&format!("refused by the server: {text}"));
            }
            Outcome::NoRoster => self.screen.status("the server does not tell who is here"),
        }
        self.screen.flush().await;
    }

    /// The session is over: all remaining answers are available.
    async fn finish(mut self, reason: CloseReason, input_over: bool) -> ConversationReport {
        if reason == CloseReason::TimedOut {
            self.unacknowledged.extend(self.pending.abandon());
        }
        while !self.pending.is_empty() {
            let outcome = self.pending.front().await;
            self.settle(outcome).await;
        }
        if reason != CloseReason::Left {
            let lost = if reason.is_lost() { "connection lost: " } else { "" };
            self.screen.status(&format!("{lost}{reason}"));
        }
        if !self.unacknowledged.is_empty() {
            let many = self.unacknowledged.len();
            self.screen.status(&format!("{many} unacknowledged (delivered or not, nobody can say):"));
            for text in &self.unacknowledged {
                self.screen.status(&format!("unacknowledged: {text}"));
            }
        }
        self.screen.flush().await;
        let failure = self.failure.or(self.screen.failure());
        ConversationReport { reason, refused: self.refused, unacknowledged: self.unacknowledged, failure, input_over }
    }
}
