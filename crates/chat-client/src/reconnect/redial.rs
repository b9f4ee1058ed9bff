//! One session after the other: dials again, ever more slowly, until the server lets this client in.

use std::{fmt, future::Future, pin::Pin, time::Duration};

use backon::{BackoffBuilder, ExponentialBuilder};
use futures::future::BoxFuture;
use tokio::time::{Instant, Sleep, sleep};

use crate::{Address, ChatClient, ConnectError, Events, Login, Name, OpenError};

/// The first delay. What is random about a delay is added to it.
const FIRST_DELAY: Duration = Duration::from_millis(500);
/// Delays double up to this.
const LONGEST_DELAY: Duration = Duration::from_secs(30);
/// A session that stood so long was a good one: after it, delays begin anew.
const STEADY: Duration = Duration::from_secs(30);

type Delays = Box<dyn Iterator<Item = Duration> + Send>;

/// Opens sessions with one server under one name, each when the last one is over.
///
/// Between attempts it waits: half a second at first, twice as long each time up to half a minute, and something random,
/// so that clients that lost the same server do not come back all at once. It sends nothing again by itself: what had no
/// answer when a session ended is unknown (clause 7.6).
pub struct Redial {
    connect: Box<dyn Fn() -> BoxFuture<'static, Result<Login, ConnectError>> + Send>,
    name: Option<Name>,
    new_delays: Box<dyn Fn() -> Delays + Send>,
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

/// What came of an attempt.
#[derive(Debug)]
#[non_exhaustive]
pub enum Dialed {
    /// A session. Call [`Redial::next`] again when it is over.
    In(ChatClient, Events),
    /// None.
    Failed {
        /// Why.
        why: OpenError,
        /// After so long, [`Redial::next`] tries again. `None`: that would not help; calling it tries at once all the same.
        again: Option<Duration>,
    },
}

impl Redial {
    /// Over any transport: `connect` is called for each attempt.
    pub fn new<F>(connect: impl Fn() -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<Login, ConnectError>> + Send + 'static,
    {
        let new_delays: Box<dyn Fn() -> Delays + Send> = Box::new(|| Box::new(exponential()));
        let connect = Box::new(move || -> BoxFuture<'static, _> { Box::pin(connect()) });
        Self { connect, name: None, delays: new_delays(), new_delays, stage: Stage::Idle, opened: None }
    }

    /// To this address.
    pub fn to(address: Address) -> Self {
        Self::new(move || {
            let address = address.clone();
            async move { address.connect().await }
        })
    }

    /// Under this name; without one, as a guest.
    #[must_use]
    pub fn name(mut self, name: Option<Name>) -> Self {
        self.rename(name);
        self
    }

    /// With these delays instead: `delays` is asked for new ones after each session that stood. When they end, it gives up.
    #[must_use]
    pub fn delays<I>(mut self, delays: impl Fn() -> I + Send + 'static) -> Self
    where
        I: Iterator<Item = Duration> + Send + 'static,
    {
        self.new_delays = Box::new(move || Box::new(delays()));
        self.delays = (self.new_delays)();
        self
    }

    /// The next attempt goes under this name.
    pub fn rename(&mut self, name: Option<Name>) {
        self.name = name;
    }

    /// If it waits for the next attempt, it waits no longer.
    pub fn hurry(&mut self) {
        if matches!(self.stage, Stage::Waiting(_)) {
            self.stage = self.opening();
        }
    }

    /// Waits, if it is not the first attempt, and tries once. It may be dropped unfinished: the next call goes on.
    pub async fn next(&mut self) -> Dialed {
        if matches!(self.stage, Stage::Idle) {
            self.stage = match self.opened.take() {
                None => self.opening(),
                Some(opened) => {
                    if opened.elapsed() >= STEADY {
                        self.delays = (self.new_delays)();
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
                Dialed::In(client, events)
            }
            Err(why) => {
                let again = if why.may_pass() { self.delays.next() } else { None };
                if let Some(delay) = again {
                    self.stage = Stage::Waiting(Box::pin(sleep(delay)));
                }
                Dialed::Failed { why, again }
            }
        }
    }

    /// Waits before the next attempt, also if the last one said that it would not help.
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
    fn delays_grow_to_their_bound_and_never_end() {
        let delays: Vec<_> = exponential().take(20).collect();
        assert!(delays[0] >= FIRST_DELAY && delays[0] <= 2 * FIRST_DELAY, "{delays:?}");
        assert!(delays[3] >= 8 * FIRST_DELAY, "{delays:?}");
        assert!(delays.iter().all(|delay| *delay <= 2 * LONGEST_DELAY), "{delays:?}");
        assert_ne!(delays, exponential().take(20).collect::<Vec<_>>(), "something is random");
    }
}
