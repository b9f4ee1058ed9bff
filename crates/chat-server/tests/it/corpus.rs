//! Replays the stored inputs of the fuzz target, so that each test run checks what fuzzing has found.

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
        println!("{}", input.display()); // If the test fails, the last path is the failing input.
        session::check(&fs::read(input).unwrap());
    }
}
