//! Replays the stored inputs of the fuzz target, so that every test run checks what fuzzing found once.

use std::{fs, path::Path};

#[path = "../../fuzz/src/session.rs"]
mod session;

#[test]
fn every_stored_input_passes() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/session");
    let mut inputs: Vec<_> = fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    assert!(inputs.len() > 5);
    for input in inputs {
        println!("{}", input.display()); // The last one printed is the one that fails.
        session::check(&fs::read(input).unwrap());
    }
}
