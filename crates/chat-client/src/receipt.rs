//! The receipt of a message: its answer, as a future.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::sync::oneshot;

use crate::{SendError, session::Answer};

/// The answer to one message: a future that is done at its `OK` or `BAD REQ`, or when the session ends.
///
/// ```
/// use chat_client::{Login, SendError};
/// # use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
/// #
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (stream, server) = tokio::io::duplex(4096);
/// # tokio::spawn(async move {
/// #     let mut server = BufReader::new(server);
/// #     for reply in ["NAME OK\r\nWELCOME\r\n", "OK\r\n", "BAD REQ\r\n"] {
/// #         server.read_line(&mut String::new()).await?;
/// #         server.write_all(reply.as_bytes()).await?;
/// #     }
/// #     std::io::Result::Ok(())
/// # });
/// let (client, _events) = Login::over(stream).log_in("bob".parse()?).await?;
/// let first = client.queue("one".parse()?).await?;
/// let second = client.queue("two".parse()?).await?; // sent without waiting for the first `OK`
/// assert_eq!(first.await, Ok(()));
/// assert_eq!(second.await, Err(SendError::Refused));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "without the receipt, nobody knows whether the message was accepted"]
pub struct Receipt {
    answer: oneshot::Receiver<Answer>,
}

impl Receipt {
    pub(crate) fn new(answer: oneshot::Receiver<Answer>) -> Self {
        Self { answer }
    }
}

impl Future for Receipt {
    type Output = Result<(), SendError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(match ready!(Pin::new(&mut self.answer).poll(cx)) {
            Ok(Answer::Accepted) => Ok(()),
            Ok(Answer::Refused) => Err(SendError::Refused),
            Ok(Answer::NotSent) => Err(SendError::Closed),
            // Also if the task is gone: only the task knows that a message was not sent.
            _ => Err(SendError::Unknown),
        })
    }
}
