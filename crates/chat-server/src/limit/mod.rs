//! Limits: connections in all and for each address, and how fast an address may connect and send lines.

mod addresses;
mod connection_limit;
mod rate_limiter;

pub(crate) use self::{
    connection_limit::{ConnectionLimit, Pass},
    rate_limiter::LineLimit,
};
