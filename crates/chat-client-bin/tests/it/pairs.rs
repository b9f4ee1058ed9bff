//! Five languages around one table: each client talks at each server, of those in Rust, Python, C, JavaScript and Go.

use std::{net::SocketAddr, process::Stdio, time::Instant};

use chat_server::ChatServer;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use crate::{
    peer::{LANGUAGES, PeerServer},
    process::hermetic,
    scripted_server::within,
};

/// How many messages each of three clients sends at the same time.
const AT_ONCE: usize = 10;

/// A client that this test writes out line by line.
struct Watcher {
    lines: Lines<BufReader<OwnedReadHalf>>,
    writer: OwnedWriteHalf,
}

impl Watcher {
    async fn join(server: SocketAddr) -> Self {
        let (reader, writer) = within(TcpStream::connect(server)).await.unwrap().into_split();
        let mut watcher = Self { lines: BufReader::new(reader).lines(), writer };
        watcher.send("PROT 0.1 CONNECT USER watcher").await;
        watcher.expect("NAME OK").await;
        watcher.expect("WELCOME").await;
        watcher
    }

    async fn send(&mut self, line: &str) {
        within(self.writer.write_all(format!("{line}\r\n").as_bytes())).await.unwrap();
    }

    /// The next line; `None` at the end of the connection.
    async fn next(&mut self) -> Option<String> {
        within(self.lines.next_line()).await.unwrap()
    }

    async fn expect(&mut self, line: &str) {
        assert_eq!(self.next().await.as_deref(), Some(line));
    }
}

/// A client as a process, with its keyboard and its screen.
struct Client {
    name: &'static str,
    child: Child,
    keyboard: ChildStdin,
    screen: Lines<BufReader<ChildStdout>>,
}

impl Client {
    fn start(command: &[String], name: &'static str, server: SocketAddr) -> Self {
        let mut client = Command::new(&command[0]);
        client.args(&command[1..]).args(["--name", name, &server.to_string()]).envs(hermetic()).kill_on_drop(true);
        let mut child = client.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (keyboard, screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { name, child, keyboard, screen: BufReader::new(screen).lines() }
    }

    async fn types(&mut self, text: &str) {
        within(self.keyboard.write_all(format!("{text}\n").as_bytes())).await.unwrap();
    }

    /// The next message on the screen. Other lines differ from client to client.
    async fn shown(&mut self) -> String {
        loop {
            let line = within(self.screen.next_line()).await.unwrap();
            let line = line.unwrap_or_else(|| panic!("{} has ended", self.name));
            if line.starts_with('<') {
                return line;
            }
        }
    }

    /// Ends the input. The client must leave, and say by its exit code that all its messages were acknowledged.
    async fn leaves(mut self) {
        drop(self.keyboard);
        assert_eq!(within(self.child.wait()).await.unwrap().code(), Some(0), "{}", self.name);
    }
}

/// Two of these clients and a watcher talk at this server.
async fn talk(server: SocketAddr, client: &[String]) {
    let mut watcher = Watcher::join(server).await;
    let mut ann = Client::start(client, "ann", server);
    watcher.expect("JOIN ann").await;
    let mut bob = Client::start(client, "bob", server);
    watcher.expect("JOIN bob").await;

    ann.types("hello, bob").await;
    watcher.expect("FROM ann MSG hello, bob").await;
    assert_eq!(bob.shown().await, "<ann> hello, bob");
    bob.types("  100 % café 🙂 ").await;
    watcher.expect("FROM bob MSG   100 % café 🙂 ").await;
    assert_eq!(ann.shown().await, "<bob>   100 % café 🙂 ");

    all_at_once(&mut watcher, &mut ann, &mut bob).await;

    ann.leaves().await;
    watcher.expect("LOGOUT ann").await;
    bob.leaves().await;
    watcher.expect("LOGOUT bob").await;
    watcher.send("BYE").await;
    watcher.expect("BYE").await;
    assert_eq!(watcher.next().await, None);
}

/// All three send at the same time, and see one order: the watcher all of it, each client what the others sent.
async fn all_at_once(watcher: &mut Watcher, ann: &mut Client, bob: &mut Client) {
    for n in 0..AT_ONCE {
        watcher.send(&format!("MSG {n}")).await;
        ann.types(&format!("{n}")).await;
        bob.types(&format!("{n}")).await;
    }
    let (mut order, mut acknowledged) = (Vec::new(), 0);
    while order.len() < 3 * AT_ONCE {
        let line = watcher.next().await.unwrap();
        if let Some((name, text)) = line.strip_prefix("FROM ").and_then(|rest| rest.split_once(" MSG ")) {
            order.push(format!("<{name}> {text}"));
        } else {
            assert_eq!(line, "OK");
            order.push(format!("<watcher> {acknowledged}"));
            acknowledged += 1;
        }
    }
    for client in [ann, bob] {
        let own = format!("<{}> ", client.name);
        for wanted in order.iter().filter(|line| !line.starts_with(&own)) {
            assert_eq!(&client.shown().await, wanted, "{}", client.name);
        }
    }
}

#[tokio::test]
async fn every_client_talks_at_every_server() {
    let rust = vec![env!("CARGO_BIN_EXE_chat-client").to_owned()];
    let others = LANGUAGES.iter().filter_map(|language| Some((language.name, language.command("client")?)));
    let clients: Vec<_> = std::iter::once(("Rust", rust)).chain(others).collect();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = ChatServer::builder().build();
    tokio::spawn(server.serve(listener).into_future());
    let others: Vec<_> = LANGUAGES
        .iter()
        .filter_map(|language| Some((language.name, PeerServer::start(&language.command("server")?))))
        .collect();
    let servers = std::iter::once(("Rust", address)).chain(others.iter().map(|(name, peer)| (*name, peer.address)));

    for (server, address) in servers {
        for (client, command) in &clients {
            println!("server in {server}, client in {client}"); // Shown if the test fails.
            let start = Instant::now();
            talk(address, command).await;
            println!("passed in {:.2} s", start.elapsed().as_secs_f32());
        }
    }
}
