//! `FAULTS.md` names tests that exist.

use std::{fs, path::Path};

#[test]
fn every_fault_names_tests_that_exist() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = fs::read_to_string(here.join("tests/FAULTS.md")).unwrap();
    let mut rows = 0;
    for (index, line) in table.lines().enumerate() {
        if !line.starts_with("| ") || line.starts_with("| fault") {
            continue;
        }
        let at = format!("FAULTS.md:{}", index + 1);
        let tests = line.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let named: Vec<_> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "{at}: no test");
        for test in named {
            assert!(exists(&here.join("../.."), test), "{at}: there is no test {test}");
        }
        rows += 1;
    }
    assert!(rows > 40, "only {rows} rows were found in FAULTS.md");
}

/// A file with tests, or `module::function` below the integration tests of a crate.
fn exists(root: &Path, test: &str) -> bool {
    let read = |path| fs::read_to_string(root.join(path)).unwrap_or_default();
    let Some((module, function)) = test.split_once("::") else {
        let code = read(test.to_owned());
        return ["#[test]", "#[tokio::test"].iter().any(|mark| code.contains(mark));
    };
    let places = ["chat-server", "chat-server-bin", "chat-client", "chat-client-bin"]
        .map(|part| format!("crates/{part}/tests/it/{module}"));
    let files = places.iter().flat_map(|place| [format!("{place}.rs"), format!("{place}/mod.rs")]);
    files.map(read).any(|code| code.contains(&format!("fn {function}(")))
}
