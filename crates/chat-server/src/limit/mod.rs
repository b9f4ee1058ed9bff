//! Limits: connections in all and for each address, and how fast an address may connect and send lines.

mod addresses;
mod connection_limit;
mod limits;
mod rate_limiter;

pub(crate) use self::{connection_limit::Pass, rate_limiter::LineLimit};
pub use self::{
    connection_limit::SharedLimits,
    limits::{Limits, RateLimit},
};
