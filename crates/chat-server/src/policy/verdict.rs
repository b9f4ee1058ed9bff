//! What a policy can decide.

use std::{fmt, pin::Pin};

use chat_proto::Text;

/// The decision of [`Policy::connect`](crate::Policy::connect).
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Connect {
    /// The peer may log in.
    Accept,
    /// The peer gets `BYE` and is closed (clause 2.6).
    Refuse,
}

/// The decision of [`Policy::admit`](crate::Policy::admit).
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Admission {
    /// The client may join.
    Admit,
    /// The client gets `NAME FAILURE` and may try another name (clause 3.3). A plain session cannot, and is closed.
    RefuseName,
    /// The client gets `BYE` and is closed.
    Close,
}

/// The decision of [`Policy::message`](crate::Policy::message).
#[derive(Debug)]
#[non_exhaustive]
pub enum Verdict {
    /// All other members get the message; the sender gets `OK`.
    Deliver,
    /// All other members get this text instead; the sender gets `OK`.
    Replace(Text),
    /// No member gets the message, but the sender gets `OK` as if it were delivered. It has no number in the order.
    Swallow,
    /// No member gets the message; the sender gets `BAD REQ` (clause 3.10).
    Refuse,
    /// The decision comes later: see [`Verdict::defer`].
    Defer(Deferred),
}

/// A [`Verdict`] that comes later, from [`Verdict::defer`].
pub struct Deferred(pub(crate) Pin<Box<dyn Future<Output = Verdict> + Send>>);

impl Verdict {
    /// Decides later. Meanwhile the server handles no other line of this client, so its messages and their answers keep
    /// their order. If the connection ends first, the future is dropped and the message is not delivered.
    ///
    /// ```
    /// use chat_server::{Message, Policy, Verdict};
    ///
    /// struct Checked;
    ///
    /// impl Policy for Checked {
    ///     fn message(&self, message: &Message) -> Verdict {
    ///         if !message.text().as_str().contains("http") {
    ///             return Verdict::Deliver; // the usual case costs nothing
    ///         }
    ///         let text = message.text().clone();
    ///         Verdict::defer(async move { if is_harmless(&text).await { Verdict::Deliver } else { Verdict::Refuse } })
    ///     }
    /// }
    /// # async fn is_harmless(_: &chat_server::Text) -> bool { true }
    /// ```
    pub fn defer(verdict: impl Future<Output = Self> + Send + 'static) -> Self {
        Self::Defer(Deferred(Box::pin(verdict)))
    }
}

impl fmt::Debug for Deferred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deferred").finish_non_exhaustive()
    }
}
