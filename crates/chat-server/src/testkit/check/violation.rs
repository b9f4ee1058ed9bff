//! The violations that a run may contain.

use std::fmt;

use chat_proto::{Name, Text};

use super::Seen;

/// Something that must never happen in a run. `by` is the client that saw it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// It never got this, though it was a member.
    #[error("{by} never got `{event}`")]
    Lost {
        /// The client.
        by: Name,
        /// What is missing.
        event: Seen,
    },
    /// It got this more than once.
    #[error("{by} got `{event}` again")]
    Duplicate {
        /// The client.
        by: Name,
        /// What came again.
        event: Seen,
    },
    /// It got two things in another order than the witness.
    #[error("{by} got `{second}` before `{first}`")]
    Swapped {
        /// The client.
        by: Name,
        /// What comes first for the witness.
        first: Seen,
        /// What came first for this client.
        second: Seen,
    },
    /// It got a message that no client sent.
    #[error("{by} got `{event}`, which no client sent")]
    Invented {
        /// The client.
        by: Name,
        /// The message.
        event: Seen,
    },
    /// It got a message that was refused to its sender.
    #[error("{by} got `{event}`, which was refused")]
    RefusedDelivered {
        /// The client.
        by: Name,
        /// The message.
        event: Seen,
    },
    /// It got an event that the witness did not get, or not after this position.
    #[error("{by} got `{event}`, which is not in the order there")]
    Unshared {
        /// The client.
        by: Name,
        /// What it got.
        event: Seen,
    },
    /// A sender's messages are not in the order in which it sent them.
    #[error("`{event}` comes after a message that was sent later")]
    SenderOrder {
        /// The message that comes too late.
        event: Seen,
    },
    /// A member joins again, or a client that is not a member leaves or speaks.
    #[error("`{event}` is impossible here")]
    Impossible {
        /// The impossible event.
        event: Seen,
    },
    /// A roster does not list the members at its position.
    #[error("{by} got the roster {listed:?} instead of {here:?}")]
    Roster {
        /// The client.
        by: Name,
        /// The roster as it came.
        listed: Vec<Name>,
        /// The members.
        here: Vec<Name>,
    },
    /// A line does not answer the next request, or is not possible at its position.
    #[error("{by} got {line:?} where it does not belong")]
    Reply {
        /// The client.
        by: Name,
        /// The line.
        line: String,
    },
    /// The run cannot be judged: this text was sent twice under this name.
    #[error("{by} has sent {text:?} twice, so the two cannot be told apart")]
    Ambiguous {
        /// The sender.
        by: Name,
        /// The text.
        text: Text,
    },
    /// The run cannot be judged: the witness was cut off.
    #[error("{by} is the witness, and was cut off")]
    NoWitness {
        /// The witness.
        by: Name,
    },
}

/// All violations of a run, from [`check`](super::check).
///
/// ```
/// use chat_server::testkit::{Seen, Session, Violation, check};
///
/// let mut ann = Session::new("ann".parse()?);
/// for line in ["NAME OK", "WELCOME", "JOIN bob", "FROM bob MSG hello", "BYE"] {
///     ann.hears(line);
/// }
/// let mut bob = Session::new("bob".parse()?);
/// for line in ["NAME OK", "WELCOME", "BYE"] {
///     bob.hears(line);
/// }
/// // Bob did not say that.
/// let violations = check(&[ann, bob]).unwrap_err();
/// let expected = Seen::Said("bob".parse()?, "hello".parse()?);
/// assert!(violations.0.iter().any(|v| matches!(v, Violation::Invented { event, .. } if *event == expected)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violations(pub Vec<Violation>);

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Most violations follow from the first ones.
        const SHOWN: usize = 10;
        write!(f, "violations: {}", self.0.len())?;
        self.0.iter().take(SHOWN).try_for_each(|violation| write!(f, "\n  {violation}"))?;
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

impl std::error::Error for Violations {}
