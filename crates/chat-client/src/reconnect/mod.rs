//! One session after the other: [`Reconnecting`] opens them as a [`Redial`] says, and joins their events into one stream.

mod backoff;
mod reconnecting;
mod redial;

pub use reconnecting::{Reconnecting, SessionEvent};
pub use redial::Redial;
