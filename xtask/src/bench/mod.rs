//! `cargo xtask bench`: what delivery costs, against the least that any server can do and against other servers.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "figures of measurements, far from where these matter"
)]

mod dialect;
mod floor;
mod json;
mod load;
mod options;
mod plot;
mod process;
mod rows;
mod sample;
mod table;
mod work;

use std::{env, process::Command};

use self::{
    options::Options,
    process::{Kind, Placement},
    rows::{ROWS, Row},
    sample::{Measured, Sample},
};
use crate::{Failure, workspace};

/// Measures what the options ask for, and shows it.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    if arguments.first().is_some_and(|argument| argument == floor::COMMAND) {
        return floor::run();
    }
    let options = Options::read(arguments)?;
    if cfg!(debug_assertions) {
        return optimised(arguments);
    }
    process::raise_limits();
    let placement = Placement::choose()?;
    println!("{placement}");
    for kind in Kind::ALL {
        if let Some(why) = kind.missing() {
            println!("{kind} is left out: {why}");
        }
    }
    let mut measured = Vec::new();
    for row in ROWS.iter().filter(|row| options.wants(row.name)) {
        measured.push(measure(row, &options, &placement)?);
    }
    println!("\n{}", table::render(&measured));
    if let Some(path) = &options.json {
        json::write(path, &measured)?;
    }
    if let Some(path) = &options.plot {
        plot::write(path, &measured)?;
    }
    Ok(())
}

/// Runs all servers of a row in turn, as often as asked for: machines drift, and neighbours in time are alike.
fn measure(row: &'static Row, options: &Options, placement: &Placement) -> Result<Measured, Failure> {
    let mut measured = Measured::new(row);
    let rounds = options.rounds(row);
    for round in 1..=rounds {
        for case in row.cases.iter().filter(|case| case.kind.missing().is_none()) {
            eprint!("\r\x1b[K{} {round}/{rounds}: {}", row.name, case.label());
            let sample: Sample = work::perform(row, case, placement, options.length())?;
            measured.add(case, sample);
        }
    }
    eprint!("\r\x1b[K");
    println!("{}", table::line(&measured));
    Ok(measured)
}

/// An unoptimised load would be the bottleneck: builds all with optimisation, and goes on there.
fn optimised(arguments: &[String]) -> Result<(), Failure> {
    let target = workspace::target()?;
    let mut cargo = workspace::cargo()?;
    cargo.args(["build", "--release", "--locked", "--package", "xtask", "--package", "chat-server", "--target-dir"]);
    let built = cargo.arg(&target).status().map_err(Failure::while_doing("start cargo"))?;
    if !built.success() {
        return Err(Failure::work(format!("the build failed, {built}")));
    }
    let program = target.join("release").join(format!("xtask{}", env::consts::EXE_SUFFIX));
    let mut again = Command::new(program);
    let status = again.arg("bench").args(arguments).status().map_err(Failure::while_doing("start the bench"))?;
    if status.success() { Ok(()) } else { Err(Failure::work("the bench failed")) }
}
