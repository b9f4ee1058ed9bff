//! `cargo xtask tidy`: quick checks over all files of the project. Each is a plain function of what is in them, and each
//! finding is a place and a sentence that says what to do.

mod borders;
mod documents;
mod finding;
mod header;
mod layout;
mod leftovers;
mod length;
mod markdown;
mod places;
mod rust;
mod tree;
mod whitespace;

use self::{
    finding::Finding,
    tree::{File, Tree},
};
use crate::{Failure, commands, workspace};

/// A check of one file at a time.
const OF_FILES: &[fn(&File) -> Vec<Finding>] =
    &[header::check, length::check, whitespace::check, leftovers::check, places::check];

/// A check of files against each other.
const OF_TREE: &[fn(&Tree) -> Vec<Finding>] =
    &[layout::check, borders::check, |tree| documents::check(tree, &commands::names().collect::<Vec<_>>())];

/// Prints all findings; any is a failure.
pub(crate) fn run() -> Result<(), Failure> {
    let tree = Tree::read(&workspace::root()?)?;
    let mut findings: Vec<_> = OF_FILES.iter().flat_map(|check| tree.files().iter().flat_map(check)).collect();
    findings.extend(OF_TREE.iter().flat_map(|check| check(&tree)));
    findings.sort();
    findings.dedup();
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => {
            println!("tidy: {} files, nothing to do", tree.files().len());
            Ok(())
        }
        1 => Err(Failure::work("tidy: there is 1 thing to do")),
        several => Err(Failure::work(format!("tidy: there are {several} things to do"))),
    }
}
