//! What a run must never show.

use std::fmt;

use chat_proto::{Name, Text};

use super::Event;

/// Something that a run must never show. `by` is the client that saw it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// It never got this, though it was there.
    #[error("{by} never got `{event}`")]
    Lost {
        /// The client.
        by: Name,
        /// What is missing.
        event: Event,
    },
    /// It got this more than once.
    #[error("{by} got `{event}` again")]
    Duplicate {
        /// The client.
        by: Name,
        /// What came again.
        event: Event,
    },
    /// It got two things in another order than the witness.
    #[error("{by} got `{second}` before `{first}`")]
    Swapped {
        /// The client.
        by: Name,
        /// What comes first for the witness.
        first: Event,
        /// What came first for this client.
        second: Event,
    },
    /// It got a message that nobody sent.
    #[error("{by} got `{event}`, which nobody sent")]
    Invented {
        /// The client.
        by: Name,
        /// The message.
        event: Event,
    },
    /// It got a message that was refused to its sender.
    #[error("{by} got `{event}`, which was refused")]
    RefusedDelivered {
        /// The client.
        by: Name,
        /// The message.
        event: Event,
    },
    /// It got what the witness did not get, or not any more at this place.
    #[error("{by} got `{event}`, which is not there in the order")]
    Unshared {
        /// The client.
        by: Name,
        /// What it got.
        event: Event,
    },
    /// A sender's messages are not in the order in which it sent them.
    #[error("`{event}` is behind what was sent after it")]
    SenderOrder {
        /// The message that comes too late.
        event: Event,
    },
    /// Somebody joins who is there, or leaves or speaks who is not.
    #[error("`{event}` cannot be here")]
    Impossible {
        /// What cannot be.
        event: Event,
    },
    /// A roster is not who was there at its place.
    #[error("{by} was told that {listed:?} are there, and not {here:?}")]
    Roster {
        /// The client.
        by: Name,
        /// The roster as it came.
        listed: Vec<Name>,
        /// As it should have been.
        here: Vec<Name>,
    },
    /// A line is no reply to the request whose turn it was, or makes no sense at its place.
    #[error("{by} got {line:?} where it does not belong")]
    Reply {
        /// The client.
        by: Name,
        /// The line.
        line: String,
    },
    /// The test is not fit to be judged: this text was sent twice under this name.
    #[error("{by} has sent {text:?} twice, so that nobody can tell the two apart")]
    Ambiguous {
        /// The sender.
        by: Name,
        /// The text.
        text: Text,
    },
    /// The test is not fit to be judged: the witness was cut off.
    #[error("{by} is the witness, and was cut off")]
    NoWitness {
        /// The witness.
        by: Name,
    },
}

/// All that is wrong with a run, from [`check`](super::check).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violations(pub Vec<Violation>);

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} violations", self.0.len())?;
        // The first ones tell; the others mostly follow from them.
        self.0.iter().take(10).try_for_each(|violation| write!(f, "\n  {violation}"))
    }
}

impl std::error::Error for Violations {}
