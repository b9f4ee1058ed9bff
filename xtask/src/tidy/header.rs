//! Every Rust file says first what it is for.

use super::{File, Finding};

pub(super) fn check(file: &File) -> Vec<Finding> {
    if !file.is_rust() || file.text.starts_with("//! ") {
        return Vec::new();
    }
    vec![Finding::new(&file.path, 1, "open the file with `//!` and what it is for, in one to three lines")]
}

#[cfg(test)]
mod tests {
    use crate::tidy::{finding::assert_found, tree::file};

    #[test]
    fn a_file_without_a_header_is_found() {
        let advice = "open the file with `//!` and what it is for, in one to three lines";
        assert_found(&super::check(&file("a.rs", "use b;\n")), &[&format!("a.rs:1: {advice}")]);
        assert_found(&super::check(&file("a.rs", "\n//! Late.\n")), &[&format!("a.rs:1: {advice}")]);
        assert_found(&super::check(&file("a.rs", "//! It is.\n")), &[]);
        assert_found(&super::check(&file("a.md", "# A\n")), &[]);
    }
}
