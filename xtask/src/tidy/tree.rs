//! The files of the project: those that git tracks, and those that it would track if told to.

use std::{collections::BTreeSet, fs, io::ErrorKind, path::Path, process::Command};

use crate::Failure;

/// A file of text.
#[derive(Clone, Debug)]
pub(super) struct File {
    /// From the root, with `/`.
    pub(super) path: String,
    pub(super) text: String,
}

/// All files.
#[derive(Clone, Default, Debug)]
pub(super) struct Tree {
    texts: Vec<File>,
    paths: BTreeSet<String>,
}

impl File {
    pub(super) fn is_rust(&self) -> bool {
        self.extension() == Some("rs")
    }

    pub(super) fn extension(&self) -> Option<&str> {
        Path::new(&self.path).extension()?.to_str()
    }
}

impl Tree {
    /// Reads the work tree below `root`. Files that are no text are known by their paths only.
    pub(super) fn read(root: &Path) -> Result<Self, Failure> {
        let mut git = Command::new("git");
        git.current_dir(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let listed = git.output().map_err(Failure::while_doing("start git"))?;
        if !listed.status.success() {
            return Err(Failure::work(format!("git ls-files: {}", String::from_utf8_lossy(&listed.stderr).trim_end())));
        }
        let mut tree = Self::default();
        for path in String::from_utf8_lossy(&listed.stdout).split_terminator('\0') {
            match fs::read(root.join(path)) {
                Ok(octets) => tree.add(path, octets),
                // Deleted, and git has not been told yet.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(Failure::work(format!("cannot read {path}: {error}"))),
            }
        }
        Ok(tree)
    }

    fn add(&mut self, path: &str, octets: Vec<u8>) {
        self.paths.insert(path.to_owned());
        if let Ok(text) = String::from_utf8(octets) {
            self.texts.push(File { path: path.to_owned(), text });
        }
    }

    /// The texts.
    pub(super) fn files(&self) -> &[File] {
        &self.texts
    }

    /// The text at this path.
    pub(super) fn file(&self, path: &str) -> Option<&File> {
        self.texts.iter().find(|file| file.path == path)
    }

    /// The paths of all files, texts or not.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(String::as_str)
    }

    /// Whether there is such a file or folder.
    pub(super) fn has(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        self.paths.contains(path) || self.paths().any(|file| file.starts_with(&folder))
    }
}

#[cfg(test)]
impl Tree {
    /// A tree that exists only in a test.
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let mut tree = Self::default();
        for (path, text) in files {
            tree.add(path, text.as_bytes().to_vec());
        }
        tree
    }
}

#[cfg(test)]
pub(super) fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_there_if_something_is_in_them() {
        let mut tree = Tree::of(&[("crates/a/src/lib.rs", "")]);
        tree.add("plot.png", vec![0xff]);
        assert!(
            tree.has("crates/a") && tree.has("crates/a/") && tree.has("crates/a/src/lib.rs") && tree.has("plot.png")
        );
        assert!(!tree.has("crates/b") && !tree.has("crates/a/src/lib"));
        assert!(tree.file("plot.png").is_none());
    }
}
