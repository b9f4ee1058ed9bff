//! Runs cargo in the workspace. `chat-bench` also uses this file.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

/// A command that runs cargo in the root of the workspace. If cargo started this program, it is the same cargo.
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

/// The root of the workspace: the closest directory above this package that has a `Cargo.lock`.
pub(crate) fn root() -> Result<PathBuf> {
    // Prefer the variable that `cargo run` sets. Checkouts that share a target directory share this program, so the
    // directory at compile time may be that of another checkout, or may no longer exist.
    let package = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let root = Path::new(&package).ancestors().find(|directory| directory.join("Cargo.lock").exists());
    root.map(Path::to_path_buf).with_context(|| {
        let package = Path::new(&package).display();
        format!("no Cargo.lock in {package} or above it: start this program with `cargo run` inside the repository")
    })
}

/// The target directory. This program is in a subdirectory of it that is named after a profile.
pub(crate) fn target() -> Result<PathBuf> {
    let program = env::current_exe().context("cannot find the path of this program")?;
    let target = program.ancestors().nth(2).map(Path::to_path_buf);
    target.with_context(|| format!("{} is not in a target directory: start it with `cargo run`", program.display()))
}
