//! How sessions with one server are opened: over which transport, under which name, and with which delays.

use std::{fmt, future::Future, pin::Pin, time::Duration};

use futures::future::BoxFuture;
use tokio::time::{Instant, Sleep, sleep};

use super::backoff::Backoff;
use crate::{Address, ChatClient, ConnectError, Events, Login, Name, OpenError};

/// How to open sessions with one server, each after the last one is over. [`Reconnecting`](crate::Reconnecting) does it.
///
/// It waits between attempts: half a second at first, then twice as long each time up to half a minute, plus a random
/// part, so that clients of a restarted server do not return all at once. It never resends a message: one without an
/// answer at the end of its session is unknown (clause 7.6).
///
/// The server may hold the name of a lost session for a while. If it refuses that name within three minutes, the name is
/// tried again.
///
/// ```
/// use std::{io, time::Duration};
///
/// use chat_client::{ConnectError, Reconnecting, Redial, SessionEvent};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// // A server that is never there, and two delays.
/// let connect = || async { Err(ConnectError::Io(io::ErrorKind::NotFound.into())) };
/// let redial = Redial::new(connect).delays(|| [1, 2].map(Duration::from_millis).into_iter());
/// let (mut sessions, mut attempts) = (Reconnecting::new(redial), 0);
/// while let Some(SessionEvent::Failed { error, retry_in, .. }) = sessions.next().await {
///     println!("{error}; next attempt in {retry_in:?}");
///     attempts += 1;
/// }
/// assert_eq!(attempts, 3);
/// # }
/// ```
pub struct Redial {
    connect: Box<dyn Fn() -> BoxFuture<'static, Result<Login, ConnectError>> + Send>,
    name: Option<Name>,
    backoff: Backoff,
    stage: Stage,
}

enum Stage {
    Idle,
    Waiting(Pin<Box<Sleep>>),
    Opening(BoxFuture<'static, Result<(ChatClient, Events), OpenError>>),
}

/// The outcome of an attempt.
#[derive(Debug)]
pub(super) enum DialOutcome {
    Connected(ChatClient, Events),
    Failed {
        error: OpenError,
        /// Delay before the next attempt. `None`: another attempt would not help.
        retry_in: Option<Duration>,
    },
}

impl Redial {
    /// Over any transport. `connect` is called for each attempt.
    pub fn new<F>(connect: impl Fn() -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<Login, ConnectError>> + Send + 'static,
    {
        let connect = Box::new(move || -> BoxFuture<'static, _> { Box::pin(connect()) });
        Self { connect, name: None, backoff: Backoff::default(), stage: Stage::Idle }
    }

    /// Over TCP or a Unix socket, to this address.
    pub fn to(address: Address) -> Self {
        Self::new(move || {
            let address = address.clone();
            async move { address.connect().await }
        })
    }

    /// Sets the name. `None`: connect as a guest.
    #[must_use]
    pub fn name(mut self, name: Option<Name>) -> Self {
        self.rename(name);
        self
    }

    /// Replaces the delays. `delays` is called at the start and after each stable session. When an iterator ends, there
    /// are no more attempts.
    #[must_use]
    pub fn delays<I>(mut self, delays: impl Fn() -> I + Send + 'static) -> Self
    where
        I: Iterator<Item = Duration> + Send + 'static,
    {
        self.backoff = Backoff::new(Box::new(move || Box::new(delays())));
        self
    }

    /// Changes the name for the next attempt.
    pub fn rename(&mut self, name: Option<Name>) {
        self.name = name;
    }

    /// Makes the next attempt now: skips the current delay, or gives up an attempt that does not get on.
    pub fn hurry(&mut self) {
        if !matches!(self.stage, Stage::Idle) {
            self.stage = self.opening();
        }
    }

    /// The session is over: the next attempt follows after a delay.
    pub(super) fn lost(&mut self) {
        self.stage = Stage::Waiting(Box::pin(sleep(self.backoff.lost(Instant::now()))));
    }

    /// Waits for the delay and makes one attempt. Cancel safe: the next call continues.
    pub(super) async fn attempt(&mut self) -> DialOutcome {
        if matches!(self.stage, Stage::Idle) {
            self.stage = self.opening();
        }
        if let Stage::Waiting(delay) = &mut self.stage {
            delay.as_mut().await;
            self.stage = self.opening();
        }
        let Stage::Opening(opening) = &mut self.stage else { unreachable!("it was made just now") };
        let opened = opening.await;
        self.stage = Stage::Idle;
        match opened {
            Ok((client, events)) => {
                self.backoff.opened(client.name(), Instant::now());
                DialOutcome::Connected(client, events)
            }
            Err(error) => {
                let retry_in = self.backoff.failed(&error, self.name, Instant::now());
                if let Some(delay) = retry_in {
                    self.stage = Stage::Waiting(Box::pin(sleep(delay)));
                }
                DialOutcome::Failed { error, retry_in }
            }
        }
    }

    fn opening(&self) -> Stage {
        let (connected, name) = ((self.connect)(), self.name);
        Stage::Opening(Box::pin(async move {
            let login = connected.await?;
            Ok(match name {
                Some(name) => login.log_in(name).await?,
                None => login.as_guest(),
            })
        }))
    }
}

impl fmt::Debug for Redial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redial").field("name", &self.name).field("backoff", &self.backoff).finish_non_exhaustive()
    }
}
