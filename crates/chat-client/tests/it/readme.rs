//! The README of this library shows code that is an example, and lists all of them.

use std::path::Path;

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn its_code_is_an_example() {
    let readme = read("README.md");
    let (_, code) = readme.split_once("```rust,no_run\n").unwrap();
    let example = read("examples/echo.rs");
    // Without what stands above the imports, which is for whoever opens the file.
    let (_, example) = example.split_once("\n\n").unwrap();
    assert_eq!(code.split_once("```").unwrap().0, example);
}

#[test]
fn all_examples_are_listed() {
    let readme = read("README.md");
    let listed = readme.lines().filter_map(|line| line.strip_prefix("| `cargo run --example "));
    let mut listed: Vec<_> = listed.map(|line| line.split([' ', '`']).next().unwrap()).collect();
    listed.sort_unstable();
    let files = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort_unstable();
    let names: Vec<_> = files.iter().map(|path| path.file_stem().unwrap().to_str().unwrap()).collect();
    assert_eq!(listed, names);
}
