//! `cargo xtask papers`: what goes with the programs on a system, made from the definitions of their command lines.
//!
//! The folder is laid out as `/usr/local/share` is. Both programs must be compiled for it, which takes a while: this is done
//! by the same command with a feature that is off otherwise.

use crate::Failure;

/// Writes them below the folder.
pub(crate) fn run(options: &[String]) -> Result<(), Failure> {
    match options {
        [folder] => write(folder),
        _ => Err(Failure::Usage("`papers` needs one folder to write to".to_owned())),
    }
}

/// Calls the same command, with the feature.
#[cfg(not(feature = "papers"))]
fn write(folder: &str) -> Result<(), Failure> {
    let mut cargo = crate::workspace::cargo()?;
    cargo.args(["run", "--quiet", "--package", "xtask", "--features", "papers", "--locked", "--", "papers"]);
    let folder = std::path::absolute(folder).map_err(Failure::while_doing("find the folder"))?;
    let status = cargo.arg(folder).status().map_err(Failure::while_doing("start cargo"))?;
    if status.success() { Ok(()) } else { Err(Failure::work(format!("no papers, {status}"))) }
}

#[cfg(feature = "papers")]
fn write(folder: &str) -> Result<(), Failure> {
    use std::{fs, path::Path};

    use clap_complete::{Shell, generate_to};

    let place = |inside: &str| {
        let place = Path::new(folder).join(inside);
        fs::create_dir_all(&place).map(|()| place)
    };
    let write = || {
        for mut program in [chat_server_bin::definition(), chat_client_bin::definition()] {
            let name = program.get_name().to_owned();
            let manual = place("man/man1")?.join(format!("{name}.1"));
            clap_mangen::Man::new(program.clone()).render(&mut fs::File::create(&manual)?)?;
            println!("{}", manual.display());
            for (shell, inside) in [
                (Shell::Bash, "bash-completion/completions"),
                (Shell::Zsh, "zsh/site-functions"),
                (Shell::Fish, "fish/vendor_completions.d"),
            ] {
                println!("{}", generate_to(shell, &mut program, &name, place(inside)?)?.display());
            }
        }
        Ok(())
    };
    write().map_err(Failure::while_doing("write the papers"))
}
