//! As much of Rust as the checks need: what is code, what is a comment, what is a string, and which paths code uses.

mod spans;
mod tests_out;
mod tokens;
mod uses;

pub(super) use self::{
    spans::{Kind, only},
    tests_out::without_tests,
    uses::{Use, uses},
};

/// The line of this octet, from 1.
fn line_of(text: &str, at: usize) -> usize {
    text[..at].bytes().filter(|&octet| octet == b'\n').count() + 1
}
