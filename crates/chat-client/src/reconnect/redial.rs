//! Dials until the server accepts this client, with growing delays between attempts.

use std::{fmt, future::Future, pin::Pin, time::Duration};

use backon::{BackoffBuilder, ExponentialBuilder};
use futures::future::BoxFuture;
use tokio::time::{Instant, Sleep, sleep};

use crate::{Address, ChatClient, ConnectError, Events, Login, Name, OpenError};

/// The first delay. The random part is added to it.
const FIRST_DELAY: Duration = Duration::from_millis(500);
/// Maximum delay, without its random part.
const LONGEST_DELAY: Duration = Duration::from_secs(30);
/// A session that lasted this long resets the delays.
const STABLE_AFTER: Duration = Duration::from_secs(30);

type Delays = Box<dyn Iterator<Item = Duration> + Send>;

/// Opens sessions with one server under one name, each after the last one is over.
///
/// It waits between attempts: half a second at first, then twice as long each time up to half a minute, plus a random
/// part, so that clients of a restarted server do not return all at once. It never resends a message: one without an
/// answer at the end of its session is unknown (clause 7.6).
///
/// ```
/// use std::{io, time::Duration};
///
/// use chat_client::{ConnectError, DialOutcome, Redial};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// // A server that is never there, and two delays.
/// let connect = || async { Err(ConnectError::Io(io::ErrorKind::NotFound.into())) };
/// let mut redial = Redial::new(connect).delays(|| [1, 2].map(Duration::from_millis).into_iter());
/// let mut attempts = 1;
/// while let DialOutcome::Failed { error, retry_in: Some(delay), .. } = redial.next().await {
///     println!("{error}; next attempt in {delay:?}");
///     attempts += 1;
/// }
/// assert_eq!(attempts, 3);
/// # }
/// ```
pub struct Redial {
    connect: Box<dyn Fn() -> BoxFuture<'static, Result<Login, ConnectError>> + Send>,
    name: Option<Name>,
    make_delays: Box<dyn Fn() -> Delays + Send>,
    delays: Delays,
    stage: Stage,
    /// When the last session was opened.
    opened: Option<Instant>,
}

enum Stage {
    Idle,
    Waiting(Pin<Box<Sleep>>),
    Opening(BoxFuture<'static, Result<(ChatClient, Events), OpenError>>),
}

/// The outcome of an attempt. The example of [`Redial`] handles it.
#[derive(Debug)]
#[non_exhaustive]
pub enum DialOutcome {
    /// A session is open. Call [`Redial::next`] again when it is over.
    Connected(ChatClient, Events),
    /// The attempt failed.
    #[non_exhaustive]
    Failed {
        /// Why.
        error: OpenError,
        /// Delay before the next attempt, which [`Redial::next`] makes. `None`: another attempt would not help, and a
        /// call makes it without a delay.
        retry_in: Option<Duration>,
    },
}

impl Redial {
    /// Over any transport. `connect` is called for each attempt.
    pub fn new<F>(connect: impl Fn() -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<Login, ConnectError>> + Send + 'static,
    {
        let make_delays: Box<dyn Fn() -> Delays + Send> = Box::new(|| Box::new(exponential()));
        let connect = Box::new(move || -> BoxFuture<'static, _> { Box::pin(connect()) });
        Self { connect, name: None, delays: make_delays(), make_delays, stage: Stage::Idle, opened: None }
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
        self.make_delays = Box::new(move || Box::new(delays()));
        self.delays = (self.make_delays)();
        self
    }

    /// Changes the name for the next attempt.
    pub fn rename(&mut self, name: Option<Name>) {
        self.name = name;
    }

    /// Skips the current delay.
    pub fn hurry(&mut self) {
        if matches!(self.stage, Stage::Waiting(_)) {
            self.stage = self.opening();
        }
    }

    /// Waits for the delay and makes one attempt. Cancel safe: the next call continues.
    pub async fn next(&mut self) -> DialOutcome {
        if matches!(self.stage, Stage::Idle) {
            self.stage = match self.opened.take() {
                None => self.opening(),
                Some(opened) => {
                    if opened.elapsed() >= STABLE_AFTER {
                        self.delays = (self.make_delays)();
                    }
                    Stage::Waiting(Box::pin(sleep(self.delays.next().unwrap_or(LONGEST_DELAY))))
                }
            };
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
                self.opened = Some(Instant::now());
                DialOutcome::Connected(client, events)
            }
            Err(error) => {
                let retry_in = if error.is_transient() { self.delays.next() } else { None };
                if let Some(delay) = retry_in {
                    self.stage = Stage::Waiting(Box::pin(sleep(delay)));
                }
                DialOutcome::Failed { error, retry_in }
            }
        }
    }

    /// Starts a delay before the next attempt, even if the last one said that another would not help.
    pub(crate) fn pause(&mut self) -> Duration {
        let delay = self.delays.next().unwrap_or(LONGEST_DELAY);
        self.stage = Stage::Waiting(Box::pin(sleep(delay)));
        delay
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

fn exponential() -> impl Iterator<Item = Duration> + Send {
    let delays = ExponentialBuilder::default().with_min_delay(FIRST_DELAY).with_max_delay(LONGEST_DELAY);
    delays.with_jitter().without_max_times().build()
}

impl fmt::Debug for Redial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redial").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_up_to_a_limit_and_never_end() {
        let delays: Vec<_> = exponential().take(20).collect();
        assert!(delays[0] >= FIRST_DELAY && delays[0] <= 2 * FIRST_DELAY, "{delays:?}");
        assert!(delays[3] >= 8 * FIRST_DELAY, "{delays:?}");
        assert!(delays.iter().all(|delay| *delay <= 2 * LONGEST_DELAY), "{delays:?}");
        assert_ne!(delays, exponential().take(20).collect::<Vec<_>>(), "something is random");
    }
}
