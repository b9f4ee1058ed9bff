//! Builds and finds the programs of the workspace.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::cargo::{cargo, run, target};

/// Builds these programs with optimisation, into the target folder of this program.
///
/// It names the binaries, not their packages, so it does not depend on which package has them.
pub(crate) fn build(programs: &[&str]) -> Result<()> {
    let mut cargo = cargo()?;
    cargo.args(["build", "--quiet", "--release", "--locked", "--target-dir"]).arg(target()?);
    for program in programs {
        cargo.args(["--bin", program]);
    }
    run(&mut cargo).with_context(|| format!("cannot build {}", programs.join(" and ")))
}

/// The path of a program that [`build`] has built.
pub(crate) fn program(name: &str) -> Result<PathBuf> {
    Ok(target()?.join("release").join(name))
}
