//! How much one peer may ask of the server: places, connects and lines, for each address and in all.

mod addresses;
#[cfg(feature = "bench")]
pub(crate) mod bench;
mod connections;
mod rate;

pub(crate) use self::{
    connections::{Connections, Pass},
    rate::{Meter, Turn},
};
