//! The README lists all programs.

use std::{fs, path::Path};

#[test]
fn all_examples_are_listed_and_short() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(folder.join("README.md")).unwrap();
    let listed = readme.lines().filter_map(|line| line.strip_prefix("| `cargo run --example "));
    let mut listed: Vec<_> = listed.map(|line| line.split([' ', '`']).next().unwrap().to_owned()).collect();
    listed.sort_unstable();
    let mut names = Vec::new();
    for file in fs::read_dir(folder.join("examples")).unwrap() {
        let path = file.unwrap().path();
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines < 80, "{} has {lines} lines", path.display());
        names.push(path.file_stem().unwrap().to_str().unwrap().to_owned());
    }
    names.sort_unstable();
    assert_eq!(listed, names);
}
