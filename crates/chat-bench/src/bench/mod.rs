//! Benchmarks: compare the cost of a delivery with that of other servers, and with that of a minimal server
//! ([`floor`]).
//!
//! A row ([`rows`]) names a kind of work and the servers that do it. For each server, [`server`] starts the process,
//! [`load`] runs all clients in one thread, and [`work`] measures.
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "measured figures are far below the limits of these types"
)]

mod buffered_stream;
mod dialect;
mod floor;
mod json;
mod load;
mod placement;
mod plot;
mod rows;
mod sample;
mod server;
mod server_kind;
mod table;
mod work;

use std::{fmt::Write, time::Duration};

use anyhow::{Result, bail};

pub(crate) use self::floor::run as run_floor;
use self::{
    placement::Placement,
    rows::{ROWS, Row},
    sample::RowResult,
    server_kind::ServerKind,
};
use crate::{cli::Output, workspace};

/// What to measure, and where to write the figures.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Measures one short round of each row.
    pub(crate) quick: bool,
    /// Names of the rows to measure. Empty: all rows.
    pub(crate) rows: Vec<String>,
    pub(crate) output: Output,
}

impl Plan {
    fn includes(&self, row: &Row) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|name| name == row.name)
    }

    /// Number of measurements of each server.
    fn rounds(&self, row: &Row) -> usize {
        if self.quick { 1 } else { row.rounds }
    }

    /// Duration of a measurement. Some kinds of work determine their own.
    fn duration(&self) -> Duration {
        Duration::from_secs(if self.quick { 1 } else { 2 })
    }
}

/// The names of all rows.
pub(crate) fn row_names() -> Vec<&'static str> {
    ROWS.iter().map(|row| row.name).collect()
}

/// Lists the rows, one per line.
pub(crate) fn list() -> String {
    ROWS.iter().fold(String::new(), |mut list, row| {
        // Writing to a string cannot fail.
        let _ = writeln!(list, "{:<10} {}", row.name, row.description);
        list
    })
}

/// Measures the rows of the plan, and prints a table.
pub(crate) fn run(plan: &Plan) -> Result<()> {
    if cfg!(debug_assertions) {
        bail!(
            "the clients of a debug build would be slower than the servers: \
             run `cargo run --release -p chat-bench -- …`"
        );
    }
    workspace::build(&["chat-server"])?;
    placement::raise_descriptor_limit();
    let placement = Placement::choose()?;
    println!("{placement}");
    for server in ServerKind::ALL.into_iter().filter(|server| !server.is_available()) {
        println!("skipped {server}, because it is not installed");
    }
    let mut results = Vec::new();
    for row in ROWS.iter().filter(|row| plan.includes(row)) {
        results.push(measure(row, plan, &placement)?);
    }
    println!("\n{}", table::render(&results));
    if let Some(path) = &plan.output.json {
        json::write(path, &results)?;
    }
    if let Some(path) = &plan.output.plot {
        plot::write(path, &results)?;
    }
    Ok(())
}

/// Measures all servers of a row in each round. The speed of a machine drifts, so measurements that are compared must be
/// close in time.
fn measure(row: &'static Row, plan: &Plan, placement: &Placement) -> Result<RowResult> {
    let mut result = RowResult::new(row);
    let rounds = plan.rounds(row);
    for round in 1..=rounds {
        for case in row.cases.iter().filter(|case| case.server.is_available()) {
            eprint!("\r\x1b[K{} {round}/{rounds}: {}", row.name, case.label());
            result.add(case, work::measure(row, case, placement, plan.duration())?);
        }
    }
    eprint!("\r\x1b[K");
    println!("{}", table::summary(&result));
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_without_rows_measures_all() {
        let plan = |rows: &[&str]| Plan {
            quick: true,
            rows: rows.iter().map(ToString::to_string).collect(),
            output: Output::default(),
        };
        assert!(ROWS.iter().all(|row| plan(&[]).includes(row)));
        let measured: Vec<_> = ROWS.iter().filter(|row| plan(&["idle"]).includes(row)).map(|row| row.name).collect();
        assert_eq!(measured, ["idle"]);
    }
}
