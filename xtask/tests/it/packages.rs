//! Checks that each published package is complete: it has documents and licences, and needs no file from outside.

use std::{
    collections::BTreeSet,
    fs,
    path::{Component, Path, PathBuf},
};

use serde_json::Value;

use crate::{cargo, root, workspace_packages};

const PUBLISHED: [&str; 7] =
    ["chat-client", "chat-client-bin", "chat-conform", "chat-proto", "chat-room", "chat-server", "chat-server-bin"];

/// Maximum size of a file in a package, in bytes.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// The directory of a package.
fn directory(package: &str) -> PathBuf {
    root().join("crates").join(package)
}

/// The packages that `cargo publish` would publish.
fn published() -> impl Iterator<Item = Value> {
    workspace_packages().into_iter().filter(|package| package["publish"].is_null())
}

fn name(package: &Value) -> &str {
    package["name"].as_str().unwrap()
}

/// The files of a package, as paths relative to its directory. Cargo generates some of them.
fn packaged_files(package: &str) -> BTreeSet<String> {
    let list = cargo(&["package", "--list", "--allow-dirty", "--offline", "--package", package]);
    list.lines().map(|line| line.replace('\\', "/")).collect()
}

fn strings(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect()
}

#[test]
fn the_expected_packages_are_published() {
    let mut names: Vec<_> = published().map(|package| name(&package).to_owned()).collect();
    names.sort_unstable();
    assert_eq!(names, PUBLISHED);
    // Fuzz targets are separate workspaces.
    for package in PUBLISHED {
        let manifest = fs::read_to_string(directory(package).join("fuzz/Cargo.toml"));
        assert!(manifest.is_err() || manifest.unwrap().contains("\npublish = false\n"), "{package}/fuzz");
    }
}

#[test]
fn manifests_have_the_fields_that_a_registry_shows() {
    for package in published() {
        let name = name(&package);
        for key in ["description", "license", "repository", "readme", "rust_version"] {
            assert!(package[key].as_str().is_some_and(|value| !value.is_empty()), "{name}: no {key}");
        }
        assert!(package["repository"].as_str().unwrap().starts_with("https://"), "{name}");
        let (keywords, categories) = (strings(&package["keywords"]), strings(&package["categories"]));
        assert!((1..=5).contains(&keywords.len()), "{name}: {keywords:?}");
        let is_valid =
            |keyword: &str| keyword.len() <= 20 && keyword.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        assert!(keywords.iter().all(|keyword| is_valid(keyword)), "{name}: {keywords:?}");
        assert!((1..=5).contains(&categories.len()), "{name}: {categories:?}");
    }
}

/// The documentation is built with all features, and marks items that need a feature.
#[test]
fn documentation_shows_features() {
    for package in published() {
        let name = name(&package);
        let docs = &package["metadata"]["docs"]["rs"];
        assert_eq!(docs["all-features"], true, "{name}");
        assert_eq!(strings(&docs["rustdoc-args"]), ["--cfg", "docsrs"], "{name}");
        let library = fs::read_to_string(directory(name).join("src/lib.rs")).unwrap();
        let has_features = package["features"].as_object().is_some_and(|features| !features.is_empty());
        assert!(!has_features || library.contains("\n#![cfg_attr(docsrs, feature(doc_cfg))]\n"), "{name}");
    }
}

/// A package can be published only after its dependencies. Dev-dependencies have no version, so that they may form cycles.
#[test]
fn dependencies_between_packages_allow_publishing() {
    for package in published() {
        for dependency in package["dependencies"].as_array().unwrap().iter().filter(|it| it["path"].is_string()) {
            let (package, dependency_name) = (name(&package), name(dependency));
            let is_for_tests = dependency["kind"] == "dev";
            assert_eq!(dependency["req"] == "*", is_for_tests, "the version of {dependency_name} in {package}");
            assert!(is_for_tests || PUBLISHED.contains(&dependency_name), "{package} needs {dependency_name}");
        }
    }
}

#[test]
fn packages_have_documents_and_licences_and_no_large_file() {
    for package in published() {
        let (name, version) = (name(&package), package["version"].as_str().unwrap());
        let files = packaged_files(name);
        for file in ["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"] {
            assert!(files.contains(file), "{name}: no {file}");
        }
        for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
            let [own, first] = [name, PUBLISHED[0]].map(|name| fs::read(directory(name).join(licence)).unwrap());
            assert!(own == first, "{name}: {licence} differs from that of {}", PUBLISHED[0]);
        }
        let changelog = fs::read_to_string(directory(name).join("CHANGELOG.md")).unwrap();
        for heading in ["\n## [Unreleased]\n", &format!("\n## [{version}] - ")] {
            assert!(changelog.contains(heading), "{name}: no{heading}");
        }
        for file in &files {
            assert!(!file.starts_with("fuzz/") && !file.starts_with("tests/"), "{name}: {file}");
            let size = fs::metadata(directory(name).join(file)).map_or(0, |metadata| metadata.len());
            assert!(size <= MAX_FILE_BYTES, "{name}: {file} has {size} bytes");
        }
    }
}

/// Relative links and included files must be in the package.
#[test]
fn packages_need_no_file_from_outside() {
    for package in PUBLISHED {
        let files = packaged_files(package);
        for file in &files {
            let Ok(text) = fs::read_to_string(directory(package).join(file)) else { continue };
            let extension = Path::new(file).extension().and_then(|extension| extension.to_str());
            let openings: &[&str] = match extension {
                Some("md") => &["]("],
                Some("rs") => &["include_str!(\"", "include_bytes!(\"", "include!(\"", "#[path = \""],
                _ => &[],
            };
            for opening in openings {
                for target in text.split(opening).skip(1).map(|rest| rest.split([')', '"', '#']).next().unwrap()) {
                    let path = resolve(file, target);
                    let is_packaged = files.iter().any(|file| Path::new(file).starts_with(&path));
                    assert!(target.contains(':') || is_packaged, "{package}: {file} needs {target}");
                }
            }
        }
    }
}

/// Resolves a path that is relative to a file. Both the file and the result are relative to the directory of the package.
fn resolve(file: &str, target: &str) -> String {
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

/// The packages contain symbolic links to the `protocole.md` of the root. Where git writes a link as a file that contains
/// the path, as on Windows by default, packages must not be made.
#[test]
fn packages_contain_the_protocol_document() {
    let document = fs::read_to_string(root().join("protocole.md")).unwrap();
    for package in ["chat-proto", "chat-conform"] {
        assert!(packaged_files(package).contains("protocole.md"), "{package}");
        let packaged = fs::read_to_string(directory(package).join("protocole.md")).unwrap();
        let is_link_as_text = cfg!(windows) && packaged.trim_end() == "../../protocole.md";
        assert!(packaged == document || is_link_as_text, "{package}: its protocole.md differs from that of the root");
    }
}
