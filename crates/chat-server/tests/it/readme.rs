//! The README of the project and of this library show what works. Their Rust code stands in examples, which are compiled
//! with the tests.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use chat_server::ChatServer;

use crate::support::{Peer, start};

const LIBRARY: &str = env!("CARGO_MANIFEST_DIR");

fn project() -> String {
    read("../../README.md")
}

fn library() -> String {
    read("README.md")
}

/// A file of this library's folder.
fn read(path: &str) -> String {
    let path = Path::new(LIBRARY).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The code block that follows this opening.
fn block(readme: &str, opening: &str) -> String {
    let (_, rest) = readme.split_once(opening).unwrap_or_else(|| panic!("no {opening:?} in the README"));
    rest.split_once("```").unwrap().0.to_owned()
}

/// Whether a program that the README speaks of is on this machine.
fn installed(program: &str, ask: &str) -> bool {
    let there = Command::new(program).arg(ask).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    assert!(there || std::env::var_os("CI").is_none() || cfg!(windows), "{program} must be there in CI");
    there
}

/// Typed lines with their `>` taken off, and what the server says.
fn session(readme: &str) -> (Vec<String>, Vec<String>) {
    let session = block(readme, "```console\n$ nc localhost 2222\n");
    let typed = |line: &&str| line.starts_with("> ");
    let (typed, said): (Vec<_>, Vec<_>) = session.lines().partition(typed);
    (typed.iter().map(|line| line[2..].to_owned()).collect(), said.iter().map(ToString::to_string).collect())
}

#[tokio::test]
async fn the_netcat_session() {
    let (typed, said) = session(&project());
    let (server, address) = start(ChatServer::builder()).await;
    let mut peer = Peer::tcp(address).await;
    for (typed, said) in typed.iter().zip(&said) {
        peer.raw(format!("{typed}\n").as_bytes()).await;
        assert_eq!(peer.line_bytes().await, format!("{said}\n").as_bytes());
    }
    peer.expect_end().await;
    assert_eq!(typed.len(), said.len());
    server.cut();
}

#[cfg(unix)]
#[tokio::test]
async fn the_netcat_session_with_netcat() {
    if !installed("nc", "-h") {
        return;
    }
    let (typed, said) = session(&project());
    let (server, address) = start(ChatServer::builder()).await;
    let answered = tokio::task::spawn_blocking(move || {
        let mut nc = Command::new("nc");
        nc.args([address.ip().to_string(), address.port().to_string()]);
        let mut nc = nc.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        nc.stdin.as_mut().unwrap().write_all((typed.join("\n") + "\n").as_bytes()).unwrap();
        String::from_utf8(nc.wait_with_output().unwrap().stdout).unwrap()
    });
    assert_eq!(answered.await.unwrap().lines().collect::<Vec<_>>(), said);
    server.cut();
}

/// Newcomers read all of it, and have only these two commands to type.
#[test]
fn the_project_is_introduced_in_short() {
    let readme = project();
    let (lines, words) = (readme.lines().count(), readme.split_whitespace().count());
    assert!(lines <= 150 && words <= 1_000, "{lines} lines, {words} words");
    for command in ["cargo run --release --bin chat-server", "cargo test --workspace"] {
        assert!(readme.contains(&format!("```sh\n{command}\n```\n")), "no block with only `{command}`");
    }
}

/// The manifest and the program of each README are a project that compiles: with `cargo`, as a reader's would be. Only the path
/// of the repository is another.
#[test]
#[ignore = "compiles Tokio anew; `cargo test -- --ignored projects_of_the_readmes` does it"]
fn projects_of_the_readmes() {
    let repository = Path::new(LIBRARY).join("../..").canonicalize().unwrap();
    let projects = Path::new(env!("CARGO_TARGET_TMPDIR")).join("projects");
    for (name, readme) in [("greeter", project()), ("embed", library()), ("echo", read("../chat-client/README.md"))] {
        let manifest = block(&readme, "```toml\n");
        assert!(manifest.contains("\ntokio = { version = \"1\", "), "{manifest}");
        assert!(manifest.contains("\"../chat/crates/"), "{manifest}");
        let package =
            if manifest.starts_with("[package]\n") { "" } else { "[package]\nname = \"it\"\nedition = \"2024\"\n" };
        let manifest = manifest.replace("../chat/", &format!("{}/", repository.display()).replace('\\', "/"));
        let folder = projects.join(name);
        std::fs::create_dir_all(folder.join("src")).unwrap();
        // A workspace of its own, with the versions that this one has fetched already.
        std::fs::write(folder.join("Cargo.toml"), format!("{package}{manifest}\n[workspace]\n")).unwrap();
        std::fs::write(folder.join("src/main.rs"), block(&readme, "```rust,no_run\n")).unwrap();
        std::fs::copy(repository.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["check", "--offline", "--quiet", "--target-dir"]).arg(projects.join("target")).current_dir(&folder);
        assert!(cargo.status().unwrap().success(), "the project of the README of {name}");
    }
}

#[test]
fn the_code_is_in_the_examples() {
    let readme = library();
    for (readme, example) in [(&project(), "examples/greeter.rs"), (&readme, "examples/embed.rs")] {
        let example = read(example);
        // Without what stands above the imports, which is for whoever opens the file.
        let (_, example) = example.split_once("\n\n").unwrap();
        assert_eq!(block(readme, "```rust,no_run\n"), example);
    }
    let bot = block(&readme, "```rust,ignore\n");
    assert!(read("examples/bot.rs").contains(&bot), "not in examples/bot.rs:\n{bot}");
}

#[test]
fn all_examples_are_listed() {
    let readme = library();
    let mut listed: Vec<_> = readme.lines().filter_map(|line| line.strip_prefix("| `cargo run --example ")).collect();
    for line in &mut listed {
        *line = line.split('`').next().unwrap();
    }
    listed.sort_unstable();
    let files = std::fs::read_dir(Path::new(LIBRARY).join("examples")).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort_unstable();
    let names: Vec<_> = files.iter().map(|path| path.file_stem().unwrap().to_str().unwrap()).collect();
    assert_eq!(listed, names);
}

/// The features of Tokio that the README asks for are enough for what it shows: they are those that the code needs.
#[test]
fn the_manifests_name_what_the_code_uses() {
    for readme in [project(), library()] {
        let manifest = block(&readme, "```toml\n");
        let (_, dependencies) = manifest.split_once("[dependencies]\n").unwrap();
        let names: Vec<_> = dependencies.lines().map(|line| line.split(' ').next().unwrap()).collect();
        assert_eq!(names, ["chat-server", "tokio"]);
        let code = block(&readme, "```rust,no_run\n");
        for (used, feature) in [
            ("#[tokio::main]", "\"macros\""),
            ("#[tokio::main]", "\"rt-multi-thread\""),
            ("tokio::net", "\"net\""),
            ("tokio::signal", "\"signal\""),
        ] {
            assert_eq!(code.contains(used), dependencies.contains(feature), "{feature}");
        }
    }
}
