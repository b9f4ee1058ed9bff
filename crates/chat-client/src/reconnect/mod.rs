//! One session after the other: [`Redial`] opens them, [`Reconnecting`] makes one stream of their events.

mod reconnecting;
mod redial;

pub use reconnecting::{Happening, Reconnecting};
pub use redial::{Dialed, Redial};
