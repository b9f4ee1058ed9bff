//! Embeds all files `cases/*/*.case`. A new case file needs no change in Rust code.

use std::{env, fmt::Write, fs, io, path::Path};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=cases");
    let cases = Path::new(&env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join("cases");
    let mut files = Vec::new();
    for folder in fs::read_dir(&cases)? {
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
        let name = path.strip_prefix(&cases).map_err(io::Error::other)?.display().to_string().replace('\\', "/");
        writeln!(list, "    ({name:?}, include_str!({:?})),", path.display().to_string()).map_err(io::Error::other)?;
    }
    list.push_str("]\n");
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&out).join("case_files.rs"), list)
}
