//! `FAULTS.md` names tests that exist.

use std::{fs, path::Path};

#[test]
fn every_fault_names_tests_that_exist() {
    let crate_path = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(crate_path.join("tests/FAULTS.md")).unwrap();
    let mut rows = 0;
    for (index, line) in document.lines().enumerate() {
        if !line.starts_with("| ") || line.starts_with("| fault") {
            continue;
        }
        let location = format!("FAULTS.md:{}", index + 1);
        let tests = line.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let named: Vec<_> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "{location}: the row names no test");
        for test in named {
            assert!(exists(&crate_path.join("../.."), test), "{location}: there is no test {test}");
        }
        rows += 1;
    }
    assert!(rows > 40, "only {rows} rows were found in FAULTS.md");
}

/// Whether `test` is the path of a file with tests, or the `module::function` of an integration test of a crate.
fn exists(root: &Path, test: &str) -> bool {
    let read = |path| fs::read_to_string(root.join(path)).unwrap_or_default();
    let Some((module, function)) = test.split_once("::") else {
        let code = read(test.to_owned());
        return ["#[test]", "#[tokio::test"].iter().any(|mark| code.contains(mark));
    };
    let modules = ["chat-server", "chat-server-bin", "chat-client", "chat-client-bin"]
        .map(|package| format!("crates/{package}/tests/it/{module}"));
    let files = modules.iter().flat_map(|module| [format!("{module}.rs"), format!("{module}/mod.rs")]);
    files.map(read).any(|code| code.contains(&format!("fn {function}(")))
}
