//! Runs the cargo of the workspace. `chat-bench` uses this file, too.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

/// A command for the cargo that started this program, in the root of the workspace.
pub(crate) fn cargo() -> Result<Command> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    cargo.current_dir(root()?);
    Ok(cargo)
}

/// Runs a command. Fails if the command fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("cannot start {name}"))?;
    if !status.success() {
        bail!("{name} failed, {status}");
    }
    Ok(())
}

/// The root of the workspace: the closest folder above this package that has a `Cargo.lock`.
pub(crate) fn root() -> Result<PathBuf> {
    // `cargo run` sets the variable. The folder at compile time may be another checkout, or gone: checkouts that share
    // a target folder share this program.
    let package = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let root = Path::new(&package).ancestors().find(|folder| folder.join("Cargo.lock").exists());
    root.map(Path::to_path_buf).with_context(|| {
        let package = Path::new(&package).display();
        format!("no Cargo.lock in {package} or above it: start this program with `cargo run` inside the repository")
    })
}

/// The folder that cargo builds into. This program is in the folder of a profile below it.
pub(crate) fn target() -> Result<PathBuf> {
    let program = env::current_exe().context("cannot find the path of this program")?;
    let target = program.ancestors().nth(2).map(Path::to_path_buf);
    target.with_context(|| format!("{} is not in a target folder: start it with `cargo run`", program.display()))
}
