//! Generates man pages and shell completions from the definitions of the command lines. The folder has the layout of
//! `/usr/local/share`.
//!
//! This needs both programs compiled into this one. The feature `man-and-completions` does that, so that other tasks
//! build faster.

use std::path::Path;

use anyhow::Result;

#[cfg(not(feature = "man-and-completions"))]
pub(crate) fn write(_: &Path) -> Result<()> {
    anyhow::bail!("this needs the feature `man-and-completions`: run `cargo xtask dist` instead")
}

#[cfg(feature = "man-and-completions")]
pub(crate) fn write(folder: &Path) -> Result<()> {
    use std::fs::{File, create_dir_all};

    use anyhow::Context;
    use clap_complete::{Shell, generate_to};

    let subfolder = |name: &str| {
        let path = folder.join(name);
        create_dir_all(&path).map(|()| path)
    };
    let write = || -> std::io::Result<()> {
        for mut program in [chat_server_bin::definition(), chat_client_bin::definition()] {
            let name = program.get_name().to_owned();
            let page = subfolder("man/man1")?.join(format!("{name}.1"));
            clap_mangen::Man::new(program.clone()).render(&mut File::create(&page)?)?;
            println!("{}", page.display());
            for (shell, name_of_folder) in [
                (Shell::Bash, "bash-completion/completions"),
                (Shell::Zsh, "zsh/site-functions"),
                (Shell::Fish, "fish/vendor_completions.d"),
            ] {
                println!("{}", generate_to(shell, &mut program, &name, subfolder(name_of_folder)?)?.display());
            }
        }
        Ok(())
    };
    write().with_context(|| format!("cannot write to {}", folder.display()))
}
