//! `cargo xtask dist`: all programs as they would be handed to somebody, optimised and stripped, the judge
//! static, with man pages and completions.

use std::{env::consts::EXE_SUFFIX, fs, path::Path, process::Command};

use crate::{Failure, papers, workspace};

/// Those that are linked with the system's libraries, and the judge, which is carried from machine to machine and brings
/// all that it needs.
const PROGRAMS: &[&str] = &["chat-server", "chat-client"];
const STATIC: &str = "chat-conform";

/// Builds the programs with the profile `dist`, whose folder is target/dist.
pub(crate) fn run() -> Result<(), Failure> {
    let target = workspace::target()?;
    build(&target, PROGRAMS, &[])?;
    let host = host()?;
    build(&target, &[STATIC], &["--target", &host])?;

    let dist = target.join("dist");
    let name = |program: &str| format!("{program}{EXE_SUFFIX}");
    let built = target.join(&host).join("dist").join(name(STATIC));
    fs::copy(built, dist.join(name(STATIC))).map_err(Failure::while_doing("find what was built"))?;
    for program in PROGRAMS.iter().chain([&STATIC]) {
        let path = dist.join(name(program));
        let size = fs::metadata(&path).map_err(Failure::while_doing("find what was built"))?.len();
        println!("{} {}", path.display(), megabytes(size));
    }
    let folder = target.join("dist").join("share");
    papers::run(&[folder.to_string_lossy().into_owned()])
}

fn build(target: &Path, programs: &[&str], more: &[&str]) -> Result<(), Failure> {
    let mut cargo = workspace::cargo()?;
    cargo.args(["build", "--profile", "dist", "--locked"]).args(more);
    // Into the folder that is looked at afterwards, whatever the configuration says.
    cargo.arg("--target-dir").arg(target);
    if !more.is_empty() {
        // Only together with a target: what runs while building must not be linked in this way.
        cargo.env("RUSTFLAGS", "-C target-feature=+crt-static");
    }
    for program in programs {
        cargo.args(["--package", program, "--bin", program]);
    }
    let status = cargo.status().map_err(Failure::while_doing("start cargo"))?;
    if status.success() { Ok(()) } else { Err(Failure::work(format!("the build failed, {status}"))) }
}

/// The machine that this is, as Rust calls it.
fn host() -> Result<String, Failure> {
    let told = Command::new("rustc").arg("-vV").output().map_err(Failure::while_doing("ask rustc for its host"))?;
    let told = String::from_utf8_lossy(&told.stdout);
    let host = told.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned);
    host.ok_or_else(|| Failure::work("rustc does not tell its host"))
}

/// In MB with one digit behind the point.
fn megabytes(octets: u64) -> String {
    let tenths = octets.div_ceil(100_000);
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    #[test]
    fn sizes_are_rounded_up() {
        assert_eq!(super::megabytes(2_310_000), "2.4 MB");
    }
}
