//! What is published is complete: each package explains itself, carries its licences, and needs no file from outside of it.
#![allow(clippy::unwrap_used, reason = "a panic is how a test says no")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Component, Path, PathBuf},
    process::Command,
};

use serde_json::Value;

const PUBLISHED: [&str; 7] =
    ["chat-client", "chat-client-bin", "chat-conform", "chat-proto", "chat-room", "chat-server", "chat-server-bin"];

/// The largest file in a package, in bytes.
const MAX_FILE: u64 = 64 * 1024;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn folder(package: &str) -> PathBuf {
    root().join("crates").join(package)
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).current_dir(root()).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The packages that cargo would publish, as `cargo metadata` describes them.
fn published() -> Vec<Value> {
    let metadata = cargo(&["metadata", "--no-deps", "--offline", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages.filter(|package| package["publish"].is_null()).cloned().collect()
}

/// The files of a package, as paths from its folder. Cargo adds some that are nowhere on the disk.
fn packaged(package: &str) -> BTreeSet<String> {
    let list = cargo(&["package", "--list", "--allow-dirty", "--offline", "--package", package]);
    list.lines().map(|line| line.replace('\\', "/")).collect()
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn these_packages_are_published_and_no_others() {
    let mut names: Vec<_> = published().iter().map(|package| package["name"].as_str().unwrap().to_owned()).collect();
    names.sort_unstable();
    assert_eq!(names, PUBLISHED);
    // Those for fuzzing are workspaces of their own.
    for package in PUBLISHED {
        let manifest = fs::read_to_string(folder(package).join("fuzz/Cargo.toml"));
        assert!(manifest.is_err() || manifest.unwrap().contains("\npublish = false\n"), "{package}/fuzz");
    }
}

#[test]
fn manifests_say_what_a_registry_shows() {
    for package in published() {
        let name = package["name"].as_str().unwrap();
        for key in ["description", "license", "repository", "readme", "rust_version"] {
            assert!(package[key].as_str().is_some_and(|text| !text.is_empty()), "{name}: no {key}");
        }
        assert!(package["repository"].as_str().unwrap().starts_with("https://"), "{name}");
        let (keywords, categories) = (texts(&package["keywords"]), texts(&package["categories"]));
        assert!((1..=5).contains(&keywords.len()), "{name}: {keywords:?}");
        let is_plain = |keyword: &&str| keyword.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        assert!(keywords.iter().all(|keyword| keyword.len() <= 20 && is_plain(keyword)), "{name}: {keywords:?}");
        assert!((1..=5).contains(&categories.len()), "{name}: {categories:?}");
    }
}

/// The documentation has all features, and says what needs which.
#[test]
fn documentation_shows_features() {
    for package in published() {
        let name = package["name"].as_str().unwrap();
        let docs = &package["metadata"]["docs"]["rs"];
        assert_eq!(docs["all-features"], true, "{name}");
        assert_eq!(texts(&docs["rustdoc-args"]), ["--cfg", "docsrs"], "{name}");
        let library = fs::read_to_string(folder(name).join("src/lib.rs")).unwrap();
        let has_features = package["features"].as_object().is_some_and(|features| !features.is_empty());
        assert!(!has_features || library.contains("\n#![cfg_attr(docsrs, feature(doc_cfg))]\n"), "{name}");
    }
}

/// What a package needs is published before it. Tests may need packages that need it in turn, so these have no version.
#[test]
fn packages_can_be_published_in_an_order() {
    for package in published() {
        for dependency in package["dependencies"].as_array().unwrap().iter().filter(|it| it["path"].is_string()) {
            let (name, needed) = (&package["name"], &dependency["name"]);
            let is_for_tests = dependency["kind"] == "dev";
            assert_eq!(dependency["req"] == "*", is_for_tests, "the version of {needed} in {name}");
            assert!(is_for_tests || PUBLISHED.contains(&needed.as_str().unwrap()), "{name} needs {needed}");
        }
    }
}

#[test]
fn packages_have_documents_and_licences_and_nothing_large() {
    for package in published() {
        let (name, version) = (package["name"].as_str().unwrap(), package["version"].as_str().unwrap());
        let files = packaged(name);
        for file in ["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"] {
            assert!(files.contains(file), "{name}: no {file}");
        }
        for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
            let [own, first] = [name, PUBLISHED[0]].map(|name| fs::read(folder(name).join(licence)).unwrap());
            assert!(own == first, "{name}: another {licence}");
        }
        let changes = fs::read_to_string(folder(name).join("CHANGELOG.md")).unwrap();
        for heading in ["\n## [Unreleased]\n", &format!("\n## [{version}] - ")] {
            assert!(changes.contains(heading), "{name}: no{heading}");
        }
        for file in &files {
            assert!(!file.starts_with("fuzz/") && !file.starts_with("tests/"), "{name}: {file}");
            let size = fs::metadata(folder(name).join(file)).map_or(0, |metadata| metadata.len());
            assert!(size <= MAX_FILE, "{name}: {file} has {size} bytes");
        }
    }
}

/// A relative link leads nowhere on a registry's page, and a file to include is missing there, if the package lacks it.
#[test]
fn packages_need_no_file_from_outside() {
    for package in PUBLISHED {
        let files = packaged(package);
        for file in &files {
            let Ok(text) = fs::read_to_string(folder(package).join(file)) else { continue };
            let extension = Path::new(file).extension().and_then(|extension| extension.to_str());
            let openings: &[&str] = match extension {
                Some("md") => &["]("],
                Some("rs") => &["include_str!(\"", "include_bytes!(\"", "include!(\"", "#[path = \""],
                _ => &[],
            };
            for opening in openings {
                for target in text.split(opening).skip(1).map(|rest| rest.split([')', '"', '#']).next().unwrap()) {
                    let path = beside(file, target);
                    let is_there = files.iter().any(|file| Path::new(file).starts_with(&path));
                    assert!(target.contains(':') || is_there, "{package}: {file} needs {target}");
                }
            }
        }
    }
}

/// The path of what `file` calls `target`, from the package's folder.
fn beside(file: &str, target: &str) -> String {
    let mut path = Vec::new();
    for component in Path::new(file).parent().unwrap().join(target).components() {
        match component {
            Component::ParentDir if path.pop().is_none() => return format!("outside: {target}"),
            Component::ParentDir | Component::CurDir => {}
            other => path.push(other.as_os_str().to_str().unwrap().to_owned()),
        }
    }
    path.join("/")
}

/// There is one `protocole.md`, at the root, and links to it. Where git makes no symbolic links, as on Windows by default, each
/// of these is a file with the link's target. Packages are to be made where they are links.
#[test]
fn packages_carry_the_document() {
    let document = fs::read_to_string(root().join("protocole.md")).unwrap();
    for package in ["chat-proto", "chat-conform"] {
        assert!(packaged(package).contains("protocole.md"), "{package}");
        let carried = fs::read_to_string(folder(package).join("protocole.md")).unwrap();
        let is_link_as_text = cfg!(windows) && carried.trim_end() == "../../protocole.md";
        assert!(carried == document || is_link_as_text, "{package}: another protocole.md");
    }
}
