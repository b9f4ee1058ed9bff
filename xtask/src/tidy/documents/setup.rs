//! The two commands that are all of the set-up stand in the README as they are.

use super::{File, Finding, markdown};

const SETUP: &[&str] = &["cargo run --release --bin chat-server", "cargo test --workspace"];

pub(super) fn check(readme: &File) -> Vec<Finding> {
    let code: Vec<_> = markdown::lines(&readme.text).filter(|line| line.is_code).map(|line| line.text.trim()).collect();
    let missing = SETUP.iter().filter(|command| !code.contains(*command));
    let advice = |command| format!("show `{command}` in a code block, on a line of its own");
    missing.map(|command| Finding::new(&readme.path, 1, advice(command))).collect()
}

#[cfg(test)]
mod tests {
    use crate::tidy::{finding::assert_found, tree::file};

    #[test]
    fn a_missing_command_is_found() {
        let text = "```sh\ncargo run --release --bin chat-server\ncargo test --workspace\n```\n";
        assert_found(&super::check(&file("README.md", text)), &[]);
        let advice = "README.md:1: show `cargo test --workspace` in a code block, on a line of its own";
        assert_found(&super::check(&file("README.md", &text.replace("test", "check"))), &[advice]);
        assert_found(&super::check(&file("README.md", &text.replace("--workspace", "--workspace --all"))), &[advice]);
    }
}
