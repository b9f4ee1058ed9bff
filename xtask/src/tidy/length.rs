//! A Rust file does one thing, and is short.

use super::{File, Finding};

const MOST: usize = 400;

pub(super) fn check(file: &File) -> Vec<Finding> {
    let lines = file.text.lines().count();
    if !file.is_rust() || lines <= MOST {
        return Vec::new();
    }
    vec![Finding::new(&file.path, MOST + 1, format!("split the file: it has {lines} lines, of {MOST} at most"))]
}

#[cfg(test)]
mod tests {
    use crate::tidy::{finding::assert_found, tree::file};

    #[test]
    fn a_long_file_is_found() {
        let advice = "a.rs:401: split the file: it has 401 lines, of 400 at most";
        assert_found(&super::check(&file("a.rs", &"x\n".repeat(401))), &[advice]);
        assert_found(&super::check(&file("a.rs", &"x\n".repeat(400))), &[]);
        assert_found(&super::check(&file("a.md", &"x\n".repeat(401))), &[]);
    }
}
