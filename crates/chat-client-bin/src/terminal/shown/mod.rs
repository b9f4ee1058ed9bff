//! What the screen looks like: the lines of the conversation, and the line being typed below them. No I/O.

mod area;
mod line;
mod mention;
mod visible;
mod wrap;

pub(super) use area::{CLEAR, area};
pub(super) use line::Line;
pub(super) use mention::mentions;
pub(super) use visible::visible;
