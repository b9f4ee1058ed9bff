//! Builds and finds the programs of the workspace.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::cargo::{cargo, run, target};

/// Builds these programs with optimisation, in the target directory of this program.
pub(crate) fn build(programs: &[&str]) -> Result<()> {
    let mut cargo = cargo()?;
    cargo.args(["build", "--quiet", "--release", "--locked", "--target-dir"]).arg(target()?);
    for program in programs {
        cargo.args(["--bin", program]);
    }
    run(&mut cargo).with_context(|| format!("cannot build {}", programs.join(" and ")))
}

/// The path of a program built by [`build`].
pub(crate) fn program(name: &str) -> Result<PathBuf> {
    Ok(target()?.join("release").join(name))
}
