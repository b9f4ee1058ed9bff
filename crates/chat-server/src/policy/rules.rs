//! Calls the policy, whatever its type, and catches its panics.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use chat_proto::Text;
use futures::{FutureExt, future::BoxFuture};
use tracing::error;

use super::{Admission, Connect, Ended, Login, Message, Policy, Verdict, verdict::Deferred};
use crate::{peer::Peer, reason::EndReason};

/// The policy, of any type. [`Policy`] itself cannot be a trait object, because of its async method.
trait AnyPolicy: Send + Sync {
    fn connect(&self, peer: &Peer) -> Connect;
    fn admit(&self, login: Login) -> BoxFuture<'_, Admission>;
    fn message(&self, message: &Message<'_>) -> Verdict;
    fn ended(&self, ended: &Ended);
}

impl<P: Policy> AnyPolicy for P {
    fn connect(&self, peer: &Peer) -> Connect {
        Policy::connect(self, peer)
    }

    fn admit(&self, login: Login) -> BoxFuture<'_, Admission> {
        Policy::admit(self, login).boxed()
    }

    fn message(&self, message: &Message<'_>) -> Verdict {
        Policy::message(self, message)
    }

    fn ended(&self, ended: &Ended) {
        Policy::ended(self, ended);
    }
}

/// The embedder's policy. A call that panics returns [`Panicked`].
#[derive(Clone)]
pub(crate) struct Rules(Arc<dyn AnyPolicy>);

/// The policy panicked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Panicked;

impl From<Panicked> for EndReason {
    fn from(Panicked: Panicked) -> Self {
        Self::Panicked
    }
}

/// The final decision about a message.
#[derive(Debug)]
pub(crate) enum Outcome {
    Deliver(Text),
    Swallow,
    Refuse,
}

/// The outcome, or a future that decides it.
pub(crate) enum Decision {
    Now(Outcome),
    Later(BoxFuture<'static, Result<Outcome, Panicked>>),
}

impl Rules {
    pub(crate) fn new(policy: impl Policy) -> Self {
        Self(Arc::new(policy))
    }

    pub(crate) fn connect(&self, peer: &Peer) -> Result<(), EndReason> {
        match catch_panic(peer, || self.0.connect(peer))? {
            Connect::Accept => Ok(()),
            Connect::Refuse => Err(EndReason::Policy),
        }
    }

    pub(crate) async fn admit(&self, login: Login) -> Result<Admission, Panicked> {
        let peer = login.peer().clone();
        let deciding = catch_panic(&peer, || self.0.admit(login))?;
        AssertUnwindSafe(deciding).catch_unwind().await.map_err(|_| panicked(&peer))
    }

    pub(crate) fn message(&self, message: Message<'_>) -> Result<Decision, Panicked> {
        let peer = message.from().peer();
        let verdict = catch_panic(peer, || self.0.message(&message))?;
        Ok(decision(verdict, peer, message.into_text()))
    }

    /// Decides about a message, and waits for a deferred decision.
    pub(crate) async fn decide(&self, message: Message<'_>) -> Result<Outcome, Panicked> {
        match self.message(message)? {
            Decision::Now(outcome) => Ok(outcome),
            Decision::Later(outcome) => outcome.await,
        }
    }

    pub(crate) fn ended(&self, ended: &Ended) {
        // The connection has ended already.
        let _ = catch_panic(ended.peer(), || self.0.ended(ended));
    }
}

fn decision(verdict: Verdict, peer: &Peer, text: Text) -> Decision {
    Decision::Now(match verdict {
        Verdict::Deliver => Outcome::Deliver(text),
        Verdict::Replace(other) => Outcome::Deliver(other),
        Verdict::Swallow => Outcome::Swallow,
        Verdict::Refuse => Outcome::Refuse,
        Verdict::Defer(Deferred(later)) => return Decision::Later(decide_later(later, peer.clone(), text).boxed()),
    })
}

async fn decide_later(later: impl Future<Output = Verdict>, peer: Peer, text: Text) -> Result<Outcome, Panicked> {
    let verdict = AssertUnwindSafe(later).catch_unwind().await.map_err(|_| panicked(&peer))?;
    match decision(verdict, &peer, text) {
        Decision::Now(outcome) => Ok(outcome),
        Decision::Later(outcome) => outcome.await,
    }
}

fn catch_panic<T>(peer: &Peer, call: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|_| panicked(peer))
}

fn panicked(peer: &Peer) -> Panicked {
    error!(%peer, "the policy panicked");
    Panicked
}
