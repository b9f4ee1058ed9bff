//! The outcome of a conversation.

use std::io;

use crate::{CloseReason, OpenError};

/// How a conversation ended, and how many of its lines have no `OK`. [`talk`](super::talk) returns it.
#[derive(Debug)]
#[non_exhaustive]
pub struct ConversationReport {
    /// How it ended.
    pub end: ConversationEnd,
    /// Number of lines that did not become messages: the server refused them, or they are not valid texts.
    pub refused: u64,
    /// Number of messages without an answer at the end of their session (clause 7.6).
    pub unacknowledged: u64,
    /// Number of lines of the input that were not sent, as far as they had arrived.
    pub unsent: u64,
    /// Why reading the input or writing the output failed.
    /// [`BrokenPipe`](io::ErrorKind::BrokenPipe): the reader of the output has closed it.
    pub failure: Option<io::ErrorKind>,
}

impl ConversationReport {
    /// Number of lines that are not known to be accepted.
    pub fn without_ok(&self) -> u64 {
        self.refused + self.unacknowledged + self.unsent
    }
}

/// How a conversation ended. [`ConversationReport`] contains it.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConversationEnd {
    /// Its last session ended.
    Closed(CloseReason),
    /// No session could be opened.
    OpenFailed(OpenError),
    /// It was stopped while it had no session.
    Stopped,
}
