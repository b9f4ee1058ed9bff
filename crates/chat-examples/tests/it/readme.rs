//! The README lists all programs, and the guide shows parts of them.

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

/// The guide is a part of the library's package, and cannot include these files.
#[test]
fn the_guide_shows_parts_of_the_examples() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for (page, example) in [("axum", "axum"), ("storage", "sqlite"), ("tls", "tls"), ("websocket", "websocket")] {
        let page = fs::read_to_string(crates.join(format!("chat-server/src/guide/{page}.md"))).unwrap();
        let example = fs::read_to_string(crates.join(format!("chat-examples/examples/{example}.rs"))).unwrap();
        let blocks: Vec<_> = page.split("```rust,ignore\n").skip(1).collect();
        assert!(!blocks.is_empty(), "{page}");
        for block in blocks {
            let (block, _) = block.split_once("```").unwrap();
            assert!(example.contains(block), "not in the example:\n{block}");
        }
    }
}
