//! What is true on one machine only: paths of somebody's home, and hosts of package registries.

use super::{File, Finding};

/// Top folders of somebody's own machine.
const FOLDERS: &[&str] = &["home", "root", "work", "Users"];

/// Written apart, so that this file does not find itself.
const HOSTS: &[&str] = &[
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("npmjs", ".org"),
    concat!("deb.debian", ".org"),
    concat!("proxy.golang", ".org"),
];

pub(super) fn check(file: &File) -> Vec<Finding> {
    // Cargo writes the registry into each of its entries.
    if file.path == "Cargo.lock" {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        if let Some(folder) = FOLDERS.iter().find(|folder| has_path(line, folder)) {
            let advice = format!("take out the path below `/{folder}`: it is there on one machine only");
            findings.push(Finding::new(&file.path, index + 1, advice));
        }
        if HOSTS.iter().any(|host| line.contains(host)) {
            let advice = "name the package, not its registry's host: that is for cargo's configuration to say";
            findings.push(Finding::new(&file.path, index + 1, advice));
        }
    }
    findings
}

/// Whether an absolute path starts with this folder; `crates/work/` is none, nor is `example.org/home/`.
fn has_path(line: &str, folder: &str) -> bool {
    let root = format!("/{folder}/");
    let inside = |before: char| before.is_alphanumeric() || "_-.~*}/".contains(before);
    line.match_indices(&root).any(|(at, _)| !line[..at].ends_with(inside))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{finding::assert_found, tree::file};

    #[test]
    fn paths_of_one_machine_are_found() {
        for folder in FOLDERS {
            let text = format!("fine\n(see \"/{folder}/bob/x\")\n");
            let advice = format!("a.md:2: take out the path below `/{folder}`: it is there on one machine only");
            assert_found(&check(&file("a.md", &text)), &[&advice]);
        }
        for other in ["crates/work/a", "example.org/home/", "../root/x", "/run/chat.sock"] {
            assert_found(&check(&file("a.md", other)), &[]);
        }
    }

    #[test]
    fn hosts_of_registries_are_found() {
        for host in HOSTS {
            let advice = "name the package, not its registry's host: that is for cargo's configuration to say";
            assert_found(&check(&file("a.md", &format!("see {host}"))), &[&format!("a.md:1: {advice}")]);
            assert_found(&check(&file("Cargo.lock", host)), &[]);
        }
    }
}
