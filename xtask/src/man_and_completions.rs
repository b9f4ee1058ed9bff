//! Man pages and shell completions, made from the definitions of the command lines. The folder is laid out as
//! `/usr/local/share` is.
//!
//! They need both programs compiled into this one. The feature `man-and-completions` does that, so that other commands need
//! not wait for it.

use std::path::Path;

use anyhow::Result;

#[cfg(not(feature = "man-and-completions"))]
pub(crate) fn write(_: &Path) -> Result<()> {
    anyhow::bail!("`cargo xtask dist` calls this, with the feature `man-and-completions`")
}

#[cfg(feature = "man-and-completions")]
pub(crate) fn write(folder: &Path) -> Result<()> {
    use std::fs::{File, create_dir_all};

    use anyhow::Context;
    use clap_complete::{Shell, generate_to};

    let below = |inside: &str| {
        let path = folder.join(inside);
        create_dir_all(&path).map(|()| path)
    };
    let write = || -> std::io::Result<()> {
        for mut program in [chat_server_bin::definition(), chat_client_bin::definition()] {
            let name = program.get_name().to_owned();
            let page = below("man/man1")?.join(format!("{name}.1"));
            clap_mangen::Man::new(program.clone()).render(&mut File::create(&page)?)?;
            println!("{}", page.display());
            for (shell, inside) in [
                (Shell::Bash, "bash-completion/completions"),
                (Shell::Zsh, "zsh/site-functions"),
                (Shell::Fish, "fish/vendor_completions.d"),
            ] {
                println!("{}", generate_to(shell, &mut program, &name, below(inside)?)?.display());
            }
        }
        Ok(())
    };
    write().with_context(|| format!("cannot write below {}", folder.display()))
}
