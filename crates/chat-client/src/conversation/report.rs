//! The outcome of a conversation.

use std::io;

use chat_proto::Text;

use crate::CloseReason;

/// How a conversation ended, and which of its messages have no `OK`. [`talk`](super::talk) returns it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ConversationReport {
    /// Why its session ended.
    pub reason: CloseReason,
    /// Number of lines that did not become messages: the server refused them, or they are not valid texts.
    pub refused: usize,
    /// Messages without an answer at the end of the session (clause 7.6).
    pub unacknowledged: Vec<Text>,
    /// Why reading the input or writing the output failed.
    /// [`BrokenPipe`](io::ErrorKind::BrokenPipe): the reader of the output has closed it.
    pub failure: Option<io::ErrorKind>,
    /// Whether the input has ended, or said `/quit`.
    pub input_over: bool,
}
