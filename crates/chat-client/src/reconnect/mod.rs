//! One session after the other: [`Redial`] opens them, and [`Reconnecting`] joins their events into one stream.

mod reconnecting;
mod redial;

pub use reconnecting::{Reconnecting, SessionEvent};
pub use redial::{DialOutcome, Redial};
