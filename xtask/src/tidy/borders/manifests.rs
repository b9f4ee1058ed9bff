//! Which crate may depend on which, by the manifests alone.

use std::collections::BTreeSet;

use super::{File, Finding, Tree};

/// A line `name = …` or `name.workspace = true` below a heading of dependencies.
struct Dependency<'a> {
    name: &'a str,
    line: usize,
    /// For tests, examples and benches only.
    is_dev: bool,
}

/// What a crate must do without.
struct Law {
    manifest: &'static str,
    /// `None`: all but those allowed.
    banned: Option<&'static [&'static str]>,
    allowed: &'static [&'static str],
    /// Tests may not have it either.
    even_dev: bool,
    why: &'static str,
}

const LAWS: &[Law] = &[
    Law {
        manifest: "crates/chat-proto/Cargo.toml",
        banned: None,
        allowed: &["bytes", "thiserror", "tokio-util"],
        even_dev: false,
        why: "chat-proto needs bytes, thiserror and tokio-util's codec traits: no runtime",
    },
    Law {
        manifest: "crates/chat-client/Cargo.toml",
        banned: Some(&["chat-server"]),
        allowed: &[],
        even_dev: true,
        why: "chat-client talks to any server of this protocol, in its tests too",
    },
    Law {
        manifest: "crates/chat-server/Cargo.toml",
        banned: Some(&["chat-client"]),
        allowed: &[],
        even_dev: false,
        why: "chat-server serves any client of this protocol",
    },
    Law {
        manifest: "crates/chat-conform/Cargo.toml",
        banned: Some(&["chat-client", "chat-server"]),
        allowed: &[],
        even_dev: false,
        why: "chat-conform judges any server and any client, and favours none",
    },
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    LAWS.iter().flat_map(|law| tree.file(law.manifest).map(|file| law.check(file)).unwrap_or_default()).collect()
}

impl Law {
    fn check(&self, manifest: &File) -> Vec<Finding> {
        let all = dependencies(&manifest.text).into_iter().filter(|dependency| self.even_dev || !dependency.is_dev);
        let wrong = all.filter(|dependency| match self.banned {
            Some(banned) => banned.contains(&dependency.name),
            None => !self.allowed.contains(&dependency.name),
        });
        let advice = |dependency: Dependency<'_>| format!("do without `{}`: {}", dependency.name, self.why);
        wrong.map(|dependency| Finding::new(&manifest.path, dependency.line, advice(dependency))).collect()
    }
}

/// The names, as code has them, of all crates that any manifest names.
pub(super) fn known_crates(tree: &Tree) -> BTreeSet<String> {
    let manifests = tree.files().iter().filter(|file| file.path.ends_with("Cargo.toml"));
    manifests.flat_map(|file| dependencies(&file.text)).map(|dependency| dependency.name.replace('-', "_")).collect()
}

/// All dependencies, also those of `[workspace.dependencies]` and of targets.
fn dependencies(manifest: &str) -> Vec<Dependency<'_>> {
    let mut kind = None;
    let mut found = Vec::new();
    for (index, line) in manifest.lines().enumerate() {
        if let Some(heading) = line.strip_prefix('[') {
            let heading = heading.trim_end().trim_end_matches(']');
            let is_list = heading.ends_with("dependencies");
            kind = is_list.then(|| heading.ends_with("dev-dependencies"));
            // `[dependencies.name]`, a dependency of its own.
            if let Some((list, name)) = heading.rsplit_once('.').filter(|(list, _)| list.ends_with("dependencies")) {
                let is_dev = list.ends_with("dev-dependencies");
                found.push(Dependency { name, line: index + 1, is_dev });
            }
        } else if let Some(is_dev) = kind
            && let Some((name, _)) = line.split_once('=')
            && line.starts_with(|first: char| first.is_alphanumeric())
        {
            let name = name.split(['.', ' ']).next().unwrap_or(name);
            found.push(Dependency { name, line: index + 1, is_dev });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::assert_found;

    #[test]
    fn a_runtime_in_the_protocol_is_found() {
        let text = "[dependencies]\nbytes.workspace = true\ntokio = { version = \"1\" }\n\n[dev-dependencies]\nproptest = \"1\"\n";
        let advice = "do without `tokio`: chat-proto needs bytes, thiserror and tokio-util's codec traits: no runtime";
        let tree = Tree::of(&[("crates/chat-proto/Cargo.toml", text)]);
        assert_found(&check(&tree), &[&format!("crates/chat-proto/Cargo.toml:3: {advice}")]);
        assert_eq!(known_crates(&tree), ["bytes", "proptest", "tokio"].map(str::to_owned).into());
    }

    #[test]
    fn a_server_in_the_client_is_found_wherever_it_is() {
        let advice = "do without `chat-server`: chat-client talks to any server of this protocol, in its tests too";
        for text in
            ["[dev-dependencies]\nchat-server.workspace = true", "\n[target.'cfg(unix)'.dependencies.chat-server]"]
        {
            let tree = Tree::of(&[("crates/chat-client/Cargo.toml", text)]);
            assert_found(&check(&tree), &[&format!("crates/chat-client/Cargo.toml:2: {advice}")]);
        }
        let fine = "[package]\nchat-server = \"no dependency\"\n";
        assert_found(&check(&Tree::of(&[("crates/chat-client/Cargo.toml", fine)])), &[]);
    }
}
