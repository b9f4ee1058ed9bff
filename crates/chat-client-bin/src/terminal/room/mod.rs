//! What a person is shown of the room: which events become lines, and which lines stand between them. No I/O.

mod days;
mod ignored;
mod joins_and_leaves;
mod notification;
mod unread;

pub(super) use days::Days;
pub(super) use ignored::Ignored;
pub(super) use joins_and_leaves::JoinsAndLeaves;
pub(super) use notification::notification;
pub(super) use unread::Unread;
