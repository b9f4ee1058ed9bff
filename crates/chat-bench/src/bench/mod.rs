//! Measures what delivery costs, against the least that any server can do and against other servers.
//!
//! A row ([`rows`]) names a kind of work and the servers that do it. For each, [`server`] starts the process, [`load`] is
//! all of its clients in one thread, and [`work`] measures.
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

/// What to measure, and where to write it.
#[derive(Debug)]
pub(crate) struct Plan {
    /// One short round of each row.
    pub(crate) quick: bool,
    /// The rows to measure; all if empty.
    pub(crate) rows: Vec<String>,
    pub(crate) output: Output,
}

impl Plan {
    fn wants(&self, row: &Row) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|wanted| wanted == row.name)
    }

    /// How often each server is measured.
    fn rounds(&self, row: &Row) -> usize {
        if self.quick { 1 } else { row.rounds }
    }

    /// How long one measurement takes, unless the work itself decides that.
    fn length(&self) -> Duration {
        Duration::from_secs(if self.quick { 1 } else { 2 })
    }
}

/// The names of all rows.
pub(crate) fn row_names() -> Vec<&'static str> {
    ROWS.iter().map(|row| row.name).collect()
}

/// One line for each row.
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
            "this is a debug build, in which the clients would be slower than the servers: \
             type `cargo run --release -p chat-bench -- …`"
        );
    }
    workspace::build(&["chat-server"])?;
    placement::raise_limits();
    let placement = Placement::choose()?;
    println!("{placement}");
    for kind in Kind::ALL.into_iter().filter(|kind| !kind.is_installed()) {
        println!("{kind} is left out: it is not installed");
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

/// Measures all servers of a row in turn, round by round. A machine's speed drifts: measurements that are compared are close
/// in time.
fn measure(row: &'static Row, plan: &Plan, placement: &Placement) -> Result<Measured> {
    let mut measured = Measured::new(row);
    let rounds = plan.rounds(row);
    for round in 1..=rounds {
        for case in row.cases.iter().filter(|case| case.kind.is_installed()) {
            eprint!("\r\x1b[K{} {round}/{rounds}: {}", row.name, case.label());
            measured.add(case, work::perform(row, case, placement, plan.length())?);
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
    fn a_plan_without_rows_wants_all() {
        let plan = |rows: &[&str]| Plan {
            quick: true,
            rows: rows.iter().map(ToString::to_string).collect(),
            output: Output::default(),
        };
        assert!(ROWS.iter().all(|row| plan(&[]).wants(row)));
        let wanted: Vec<_> = ROWS.iter().filter(|row| plan(&["idle"]).wants(row)).map(|row| row.name).collect();
        assert_eq!(wanted, ["idle"]);
    }
}
