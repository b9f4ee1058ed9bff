//! Runs a conversation: joins the input with the sessions, and shows the events.

use std::time::Duration;

use futures::{FutureExt, Stream, StreamExt, future::OptionFuture};
use tokio::{
    io::AsyncWrite,
    time::{sleep, sleep_until},
};

use super::{ConversationEnd, ConversationReport, Input, InputError, Screen, handlers::Conversation, unsent};
use crate::{CloseReason, Reconnecting};

/// Number of events or lines that are handled before anything else gets its turn.
const MAX_PER_TURN: usize = 256;
/// Time for the last output when `until` has ended the conversation.
pub(super) const LAST_OUTPUT_TIMEOUT: Duration = Duration::from_secs(1);

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
                for _ in 1..MAX_PER_TURN {
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
                for _ in 1..MAX_PER_TURN {
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
