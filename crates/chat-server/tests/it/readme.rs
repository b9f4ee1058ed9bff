//! Runs what the READMEs of the project and of this library show. Their Rust code is a copy of examples, which `cargo test`
//! compiles.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use chat_server::ChatServer;

use crate::support::{Peer, start};

const CRATE_PATH: &str = env!("CARGO_MANIFEST_DIR");

fn project_readme() -> String {
    read("../../README.md")
}

fn library_readme() -> String {
    read("README.md")
}

/// Reads a file of this crate.
fn read(path: &str) -> String {
    let path = Path::new(CRATE_PATH).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rest of the code block that begins with `opening`.
fn block(readme: &str, opening: &str) -> String {
    let (_, rest) = readme.split_once(opening).unwrap_or_else(|| panic!("no {opening:?} in the README"));
    rest.split_once("```").unwrap().0.to_owned()
}

/// Whether a program that the README uses is installed. In CI, it must be.
fn is_installed(program: &str, argument: &str) -> bool {
    let is_installed = Command::new(program).arg(argument).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    assert!(is_installed || std::env::var_os("CI").is_none() || cfg!(windows), "{program} must be installed in CI");
    is_installed
}

/// The session with netcat: the lines that are typed, without their `>`, and the lines of the server.
fn session(readme: &str) -> (Vec<String>, Vec<String>) {
    let session = block(readme, "```console\n$ nc localhost 2222\n");
    let typed = |line: &&str| line.starts_with("> ");
    let (typed, received): (Vec<_>, Vec<_>) = session.lines().partition(typed);
    (typed.iter().map(|line| line[2..].to_owned()).collect(), received.iter().map(ToString::to_string).collect())
}

#[tokio::test]
async fn the_netcat_session_works_over_a_socket() {
    let (typed, received) = session(&project_readme());
    let (server, address) = start(ChatServer::builder()).await;
    let mut peer = Peer::tcp(address).await;
    for (typed, received) in typed.iter().zip(&received) {
        peer.raw(format!("{typed}\n").as_bytes()).await;
        assert_eq!(peer.line_bytes().await, format!("{received}\n").as_bytes());
    }
    peer.expect_end().await;
    assert_eq!(typed.len(), received.len());
    server.cut();
}

#[cfg(unix)]
#[tokio::test]
async fn the_netcat_session_works_with_netcat() {
    if !is_installed("nc", "-h") {
        return;
    }
    let (typed, received) = session(&project_readme());
    let (server, address) = start(ChatServer::builder()).await;
    let output = tokio::task::spawn_blocking(move || {
        let mut nc = Command::new("nc");
        nc.args([address.ip().to_string(), address.port().to_string()]);
        let mut nc = nc.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        nc.stdin.as_mut().unwrap().write_all((typed.join("\n") + "\n").as_bytes()).unwrap();
        String::from_utf8(nc.wait_with_output().unwrap().stdout).unwrap()
    });
    assert_eq!(output.await.unwrap().lines().collect::<Vec<_>>(), received);
    server.cut();
}

/// Newcomers read the whole README. The first two commands have code blocks of their own, to be copied.
#[test]
fn the_readme_of_the_project_is_short() {
    let readme = project_readme();
    let (lines, words) = (readme.lines().count(), readme.split_whitespace().count());
    assert!(lines <= 150 && words <= 1_000, "{lines} lines, {words} words");
    for command in ["cargo run --release --bin chat-server", "cargo test --workspace"] {
        assert!(readme.contains(&format!("```sh\n{command}\n```\n")), "no block with only `{command}`");
    }
}

/// The manifest and the program of each README together are a project that compiles. The test changes only the path of the
/// repository.
#[test]
#[ignore = "compiles Tokio again; run it with `cargo test -- --ignored projects_of_the_readmes`"]
fn projects_of_the_readmes() {
    let repository = Path::new(CRATE_PATH).join("../..").canonicalize().unwrap();
    let projects = Path::new(env!("CARGO_TARGET_TMPDIR")).join("projects");
    for (name, readme) in
        [("greeter", project_readme()), ("embed", library_readme()), ("echo", read("../chat-client/README.md"))]
    {
        let manifest = block(&readme, "```toml\n");
        assert!(manifest.contains("\ntokio = { version = \"1\", "), "{manifest}");
        assert!(manifest.contains("\"../chat/crates/"), "{manifest}");
        let package =
            if manifest.starts_with("[package]\n") { "" } else { "[package]\nname = \"it\"\nedition = \"2024\"\n" };
        let manifest = manifest.replace("../chat/", &format!("{}/", repository.display()).replace('\\', "/"));
        let folder = projects.join(name);
        std::fs::create_dir_all(folder.join("src")).unwrap();
        // The project is a workspace of its own. It uses versions that cargo has already downloaded for this workspace.
        std::fs::write(folder.join("Cargo.toml"), format!("{package}{manifest}\n[workspace]\n")).unwrap();
        std::fs::write(folder.join("src/main.rs"), block(&readme, "```rust,no_run\n")).unwrap();
        std::fs::copy(repository.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["check", "--offline", "--quiet", "--target-dir"]).arg(projects.join("target")).current_dir(&folder);
        assert!(cargo.status().unwrap().success(), "the project {name} does not compile");
    }
}

#[test]
fn the_code_of_the_readmes_is_in_the_examples() {
    let readme = library_readme();
    for (readme, example) in [(&project_readme(), "examples/greeter.rs"), (&readme, "examples/embed.rs")] {
        let example = read(example);
        // The README omits the comment at the top of the file.
        let (_, example) = example.split_once("\n\n").unwrap();
        assert_eq!(block(readme, "```rust,no_run\n"), example);
    }
    let bot = block(&readme, "```rust,ignore\n");
    assert!(read("examples/bot.rs").contains(&bot), "not in examples/bot.rs:\n{bot}");
}

#[test]
fn all_examples_are_listed() {
    let readme = library_readme();
    let mut listed: Vec<_> = readme.lines().filter_map(|line| line.strip_prefix("| `cargo run --example ")).collect();
    for line in &mut listed {
        *line = line.split('`').next().unwrap();
    }
    listed.sort_unstable();
    let files = std::fs::read_dir(Path::new(CRATE_PATH).join("examples")).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort_unstable();
    let names: Vec<_> = files.iter().map(|path| path.file_stem().unwrap().to_str().unwrap()).collect();
    assert_eq!(listed, names);
}

/// The manifests in the READMEs enable exactly the features of Tokio that the code uses.
#[test]
fn the_manifests_enable_what_the_code_uses() {
    for readme in [project_readme(), library_readme()] {
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
