//! Generates man pages and shell completions from the definitions of the command lines.
//!
//! This needs the feature `man-and-completions`, which compiles both programs into this one. Other tasks build faster
//! without it.

use std::path::Path;

use anyhow::Result;

#[cfg(not(feature = "man-and-completions"))]
pub(crate) fn write(_: &Path) -> Result<()> {
    anyhow::bail!("this needs the feature `man-and-completions`: run `cargo xtask dist` instead")
}

/// Writes the files into a directory with the layout of `/usr/local/share`.
#[cfg(feature = "man-and-completions")]
pub(crate) fn write(directory: &Path) -> Result<()> {
    use std::fs::{File, create_dir_all};

    use anyhow::Context;
    use clap_complete::{Shell, generate_to};

    let subdirectory = |name: &str| {
        let path = directory.join(name);
        create_dir_all(&path).map(|()| path)
    };
    let write = || -> std::io::Result<()> {
        for mut program in [chat_server_bin::definition(), chat_client_bin::definition()] {
            let name = program.get_name().to_owned();
            let page = subdirectory("man/man1")?.join(format!("{name}.1"));
            clap_mangen::Man::new(program.clone()).render(&mut File::create(&page)?)?;
            println!("{}", page.display());
            for (shell, completions) in [
                (Shell::Bash, "bash-completion/completions"),
                (Shell::Zsh, "zsh/site-functions"),
                (Shell::Fish, "fish/vendor_completions.d"),
            ] {
                println!("{}", generate_to(shell, &mut program, &name, subdirectory(completions)?)?.display());
            }
        }
        Ok(())
    };
    write().with_context(|| format!("cannot write to {}", directory.display()))
}
