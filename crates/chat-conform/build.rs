//! Embeds `protocole.md` and all files `cases/*/*.case`. A new case file needs no change in Rust code.

use std::{env, fmt::Write, fs, io, path::Path};

fn main() -> io::Result<()> {
    let package = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&out).join("protocole.md"), document(Path::new(&package))?)?;
    fs::write(Path::new(&out).join("case_files.rs"), case_files(&Path::new(&package).join("cases"))?)
}

/// The text of `protocole.md`. In the repository it is a symbolic link to the one at the root, and in the package a file.
fn document(package: &Path) -> io::Result<String> {
    println!("cargo::rerun-if-changed=protocole.md");
    let text = fs::read_to_string(package.join("protocole.md"))?;
    // Where git makes no symbolic links, as on Windows by default, the file holds the path that the link would have.
    if text.lines().count() > 1 {
        return Ok(text);
    }
    let target = text.trim_end();
    println!("cargo::rerun-if-changed={target}");
    fs::read_to_string(package.join(target))
}

/// A Rust array of the names and texts of the case files below this folder.
fn case_files(cases: &Path) -> io::Result<String> {
    println!("cargo::rerun-if-changed=cases");
    let mut files = Vec::new();
    for folder in fs::read_dir(cases)? {
        let folder = folder?.path();
        if folder.is_dir() {
            for file in fs::read_dir(folder)? {
                files.push(file?.path());
            }
        }
    }
    files.retain(|path| path.extension().is_some_and(|extension| extension == "case"));
    files.sort();
    let mut list = String::from("&[\n");
    for path in files {
        let name = path.strip_prefix(cases).map_err(io::Error::other)?.display().to_string().replace('\\', "/");
        writeln!(list, "    ({name:?}, include_str!({:?})),", path.display().to_string()).map_err(io::Error::other)?;
    }
    list.push_str("]\n");
    Ok(list)
}
