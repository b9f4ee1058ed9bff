//! The README of this crate: its code stands in the documentation of the crate, where it is compiled, and its limits are
//! those of the code.

use chat_proto::{MAX_LINE, MAX_NAME, MAX_NAME_FAILURES, MAX_TEXT, MAX_UNTERMINATED};

const README: &str = include_str!("../../README.md");

#[test]
fn its_code_is_compiled() {
    let (_, code) = README.split_once("```rust\n").unwrap();
    let documentation: String = include_str!("../../src/lib.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("//!"))
        .flat_map(|line| [line.strip_prefix(' ').unwrap_or(line), "\n"])
        .collect();
    assert!(documentation.contains(code.split_once("```").unwrap().0));
}

#[test]
fn its_limits_are_those_of_the_code() {
    let limits = [MAX_LINE, MAX_UNTERMINATED, MAX_TEXT, MAX_NAME, MAX_NAME_FAILURES as usize];
    let (_, table) = README.split_once("| limit | value | clause |\n|---|---|---|\n").unwrap();
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    let shown: Vec<usize> = rows
        .map(|row| {
            let value = row.split('|').nth(2).unwrap().replace(',', "");
            value.split_whitespace().next().unwrap().parse().unwrap()
        })
        .collect();
    assert_eq!(shown, limits);
}
