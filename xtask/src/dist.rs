//! `cargo xtask dist`: all programs as they are handed out, optimised and stripped, with man pages and completions.

use std::{env::consts::EXE_SUFFIX, fs, path::Path, process::Command};

use anyhow::{Context, Result};

use crate::cargo::{cargo, run as run_command, target};

/// Linked with the system's libraries.
const PROGRAMS: &[&str] = &["chat-server", "chat-client"];
/// Linked statically: it is copied from machine to machine.
const STATIC: &str = "chat-conform";

/// Builds the programs with the profile `dist`, into target/dist.
pub(crate) fn run() -> Result<()> {
    let target = target()?;
    build(&target, PROGRAMS, None)?;
    let host = host()?;
    build(&target, &[STATIC], Some(&host))?;

    let dist = target.join("dist");
    let file = |program: &str| format!("{program}{EXE_SUFFIX}");
    let built = target.join(&host).join("dist").join(file(STATIC));
    fs::copy(&built, dist.join(file(STATIC))).with_context(|| format!("cannot copy {}", built.display()))?;
    for program in PROGRAMS.iter().chain([&STATIC]) {
        let path = dist.join(file(program));
        let size = fs::metadata(&path).with_context(|| format!("cannot find {}", path.display()))?.len();
        println!("{} {}", path.display(), megabytes(size));
    }

    // The same program with a feature: only here are the programs' command lines compiled into it.
    let mut again = cargo();
    again.args(["run", "--quiet", "--package", "xtask", "--features", "man-and-completions", "--locked", "--"]);
    run_command(again.arg("man-and-completions").arg(dist.join("share")))
}

/// Builds programs by name, whichever package has them; static ones for the host, which has to be named.
fn build(target: &Path, programs: &[&str], static_for: Option<&str>) -> Result<()> {
    let mut cargo = cargo();
    cargo.args(["build", "--profile", "dist", "--locked", "--target-dir"]).arg(target);
    if let Some(host) = static_for {
        // Without `--target`, build scripts would be linked in this way too.
        cargo.args(["--target", host]).env("RUSTFLAGS", "-C target-feature=+crt-static");
    }
    for program in programs {
        cargo.args(["--bin", program]);
    }
    run_command(&mut cargo)
}

/// The target triple of this machine.
fn host() -> Result<String> {
    let version = Command::new("rustc").arg("-vV").output().context("cannot start rustc")?;
    let version = String::from_utf8_lossy(&version.stdout);
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned);
    host.context("`rustc -vV` prints no host")
}

/// In MB with one decimal, rounded up.
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
