//! Where the workspace is, and how its programs are built.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

/// Builds these programs with optimisation, into the same target folder that this program was built into.
///
/// They are built by the names of their binaries, whichever package has them.
pub(crate) fn build(programs: &[&str]) -> Result<()> {
    // Cargo sets `CARGO` for a program that it runs.
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    cargo.current_dir(root()).args(["build", "--quiet", "--release", "--locked", "--target-dir"]).arg(target()?);
    for program in programs {
        cargo.args(["--bin", program]);
    }
    let status = cargo.status().context("cannot start cargo")?;
    if !status.success() {
        bail!("the build of {} failed, {status}", programs.join(" and "));
    }
    Ok(())
}

/// The path of a program that [`build`] has built.
pub(crate) fn program(name: &str) -> Result<PathBuf> {
    Ok(target()?.join("release").join(name))
}

/// The folder of the root `Cargo.toml`.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folder that cargo builds into: this program is in the folder of a profile below it.
fn target() -> Result<PathBuf> {
    let program = env::current_exe().context("cannot find this program's path")?;
    let target = program.ancestors().nth(2).map(Path::to_path_buf);
    target.context("cannot find the target folder: start this as `cargo run --release -p chat-bench`")
}
