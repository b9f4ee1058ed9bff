//! `cargo xtask dist`: builds the programs for a release, with man pages and completions.

use std::{env::consts::EXE_SUFFIX, fs, path::Path, process::Command};

use anyhow::{Context, Result};

use crate::cargo::{cargo, run as run_command, target};

/// Programs that are linked dynamically with the system's libraries.
const PROGRAMS: &[&str] = &["chat-server", "chat-client"];
/// A program that is linked statically, so that users can copy it to other machines.
const STATIC_PROGRAM: &str = "chat-conform";

/// Builds the programs into target/dist, optimised and stripped. Prints their sizes.
pub(crate) fn run() -> Result<()> {
    let target = target()?;
    build(&target, PROGRAMS, None)?;
    let host = host()?;
    build(&target, &[STATIC_PROGRAM], Some(&host))?;

    let dist = target.join("dist");
    let file = |program: &str| format!("{program}{EXE_SUFFIX}");
    let built = target.join(&host).join("dist").join(file(STATIC_PROGRAM));
    fs::copy(&built, dist.join(file(STATIC_PROGRAM))).with_context(|| format!("cannot copy {}", built.display()))?;
    for program in PROGRAMS.iter().chain([&STATIC_PROGRAM]) {
        let path = dist.join(file(program));
        let size = fs::metadata(&path).with_context(|| format!("cannot find {}", path.display()))?.len();
        println!("{} {}", path.display(), megabytes(size));
    }

    // Run xtask again, with the feature that compiles the command lines of the programs into it.
    let mut xtask = cargo()?;
    xtask.args(["run", "--quiet", "--package", "xtask", "--features", "man-and-completions", "--locked", "--"]);
    run_command(xtask.arg("man-and-completions").arg(dist.join("share")))
}

/// Builds programs with the profile `dist`. `static_host` is the target triple of the host; if given, the programs are
/// linked statically.
fn build(target: &Path, programs: &[&str], static_host: Option<&str>) -> Result<()> {
    let mut cargo = cargo()?;
    cargo.args(["build", "--profile", "dist", "--locked", "--target-dir"]).arg(target);
    if let Some(host) = static_host {
        // Without `--target`, the flags would apply to build scripts too.
        cargo.args(["--target", host]).env("RUSTFLAGS", "-C target-feature=+crt-static");
    }
    for program in programs {
        cargo.args(["--bin", program]);
    }
    run_command(&mut cargo)
}

/// The target triple of the host.
fn host() -> Result<String> {
    let version = Command::new("rustc").arg("-vV").output().context("cannot start rustc")?;
    let version = String::from_utf8_lossy(&version.stdout);
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned);
    host.context("the output of `rustc -vV` has no host")
}

/// Formats a size in MB with one decimal, rounded up.
fn megabytes(bytes: u64) -> String {
    let tenths = bytes.div_ceil(100_000);
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    #[test]
    fn sizes_are_rounded_up() {
        assert_eq!(super::megabytes(2_310_000), "2.4 MB");
    }
}
