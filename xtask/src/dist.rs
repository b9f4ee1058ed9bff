//! `cargo xtask dist`: all programs as they would be handed to somebody, optimised and stripped, with man pages and
//! completions.

use std::{env::consts::EXE_SUFFIX, fs};

use crate::{Failure, papers, workspace};

const PROGRAMS: &[&str] = &["chat-server", "chat-client", "chat-conform"];

/// Builds the programs with the profile `dist`, whose folder is target/dist.
pub(crate) fn run() -> Result<(), Failure> {
    let mut cargo = workspace::cargo()?;
    cargo.args(["build", "--profile", "dist", "--locked"]);
    // Into the folder that is looked at below, whatever the configuration says.
    let target = workspace::target()?;
    cargo.arg("--target-dir").arg(&target);
    for program in PROGRAMS {
        cargo.args(["--package", program, "--bin", program]);
    }
    let status = cargo.status().map_err(Failure::while_doing("start cargo"))?;
    if !status.success() {
        return Err(Failure::work(format!("the build failed, {status}")));
    }
    for program in PROGRAMS {
        let path = target.join("dist").join(format!("{program}{EXE_SUFFIX}"));
        let size = fs::metadata(&path).map_err(Failure::while_doing("find what was built"))?.len();
        println!("{} {}", path.display(), megabytes(size));
    }
    let folder = target.join("dist").join("share");
    papers::run(&[folder.to_string_lossy().into_owned()])
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
