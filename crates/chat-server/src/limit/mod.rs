//! Limits on the number of connections, in total and per address, and on the rates of connects and of lines per address.

mod addresses;
mod connection_limit;
mod limits;
mod rate_limiter;

pub(crate) use self::{connection_limit::Pass, rate_limiter::LineLimit};
pub use self::{
    connection_limit::SharedLimits,
    limits::{Limits, RateLimit},
};
