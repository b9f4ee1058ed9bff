//! What a person is shown of the room: which events become lines, and which lines stand between them. No I/O.

mod burst;
mod days;
mod ignored;
mod notification;
mod unread;

pub(super) use burst::Burst;
pub(super) use days::Days;
pub(super) use ignored::Ignored;
pub(super) use notification::notification;
pub(super) use unread::Unread;
