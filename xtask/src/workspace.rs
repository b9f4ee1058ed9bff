//! Where the workspace is, and how its cargo is called.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use crate::Failure;

/// The folder of the root `Cargo.toml`.
pub(crate) fn root() -> Result<PathBuf, Failure> {
    let manifest = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let root = manifest.as_deref().and_then(Path::parent).map(Path::to_path_buf);
    root.ok_or_else(|| Failure::work("cannot find the workspace: start it as `cargo xtask`"))
}

/// The folder that cargo builds into: this program is in a profile's folder of it.
pub(crate) fn target() -> Result<PathBuf, Failure> {
    let program = env::current_exe().map_err(Failure::while_doing("find this program"))?;
    let target = program.ancestors().nth(2).map(Path::to_path_buf);
    target.ok_or_else(|| Failure::work("cannot find the target folder: start it as `cargo xtask`"))
}

/// The cargo that started this program, in the workspace's root.
pub(crate) fn cargo() -> Result<Command, Failure> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    cargo.current_dir(root()?);
    Ok(cargo)
}
