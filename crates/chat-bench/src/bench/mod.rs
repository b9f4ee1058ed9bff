//! Benchmarks: compare the cost of a delivery with that of other servers, and with the least that a server can do.
//!
//! A row ([`rows`]) is a kind of work and the servers that do it. For each server, [`server`] starts the process,
//! [`load`] runs all clients in one thread, and [`work`] measures.
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "measured figures are far below the limits of these types"
)]

mod dialect;
mod floor;
mod json;
mod kind;
mod load;
mod placement;
mod plot;
mod rows;
mod sample;
mod server;
mod table;
mod work;

use std::{fmt::Write, time::Duration};

use anyhow::{Result, bail};

pub(crate) use self::floor::run as floor;
use self::{
    kind::Kind,
    placement::Placement,
    rows::{ROWS, Row},
    sample::Measured,
};
use crate::{cli::Output, workspace};

/// What to measure, and where to write the figures.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Whether to measure only one short round of each row.
    pub(crate) quick: bool,
    /// The names of the rows to measure. Empty for all.
    pub(crate) rows: Vec<String>,
    pub(crate) output: Output,
}

impl Plan {
    /// Whether to measure this row.
    fn wants(&self, row: &Row) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|wanted| wanted == row.name)
    }

    /// How often to measure each server.
    fn rounds(&self, row: &Row) -> usize {
        if self.quick { 1 } else { row.rounds }
    }

    /// The duration of a measurement, unless the work itself determines it.
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
        let _ = writeln!(list, "{:<10} {}", row.name, row.what);
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
    placement::raise_socket_limit();
    let placement = Placement::choose()?;
    println!("{placement}");
    for kind in Kind::ALL.into_iter().filter(|kind| !kind.is_installed()) {
        println!("skipped {kind}, because it is not installed");
    }
    let mut measured = Vec::new();
    for row in ROWS.iter().filter(|row| plan.wants(row)) {
        measured.push(measure(row, plan, &placement)?);
    }
    println!("\n{}", table::render(&measured));
    if let Some(path) = &plan.output.json {
        json::write(path, &measured)?;
    }
    if let Some(path) = &plan.output.plot {
        plot::write(path, &measured)?;
    }
    Ok(())
}

/// Measures all servers of a row in turn, round by round. The speed of a machine drifts, so measurements to compare
/// must be close in time.
fn measure(row: &'static Row, plan: &Plan, placement: &Placement) -> Result<Measured> {
    let mut measured = Measured::new(row);
    let rounds = plan.rounds(row);
    for round in 1..=rounds {
        for case in row.cases.iter().filter(|case| case.kind.is_installed()) {
            eprint!("\r\x1b[K{} {round}/{rounds}: {}", row.name, case.label());
            measured.add(case, work::perform(row, case, placement, plan.duration())?);
        }
    }
    eprint!("\r\x1b[K");
    println!("{}", table::line(&measured));
    Ok(measured)
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
        assert!(ROWS.iter().all(|row| plan(&[]).wants(row)));
        let measured: Vec<_> = ROWS.iter().filter(|row| plan(&["idle"]).wants(row)).map(|row| row.name).collect();
        assert_eq!(measured, ["idle"]);
    }
}
