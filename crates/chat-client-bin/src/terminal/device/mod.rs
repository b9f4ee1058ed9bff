//! The terminal itself: its modes, keys, signals, size, and the thread that writes to it.

mod keyboard;
mod modes;
mod output_thread;
mod signals;
mod size;

pub(super) use keyboard::Keyboard;
pub(super) use modes::{ENTER, LEAVE, enter, is_entered, leave, leave_on_panic};
pub(super) use output_thread::{FramePermit, OutputThread};
pub(super) use signals::{Signal, Signals, ask_to_stop, can_stop, stop};
pub(super) use size::size;
