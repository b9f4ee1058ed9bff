//! The command `proxy`: it forwards all bytes, marks wrong lines, and saves a case that can be played.

use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use chat_conform::{Select, ServerOptions, Side, Suite, play};
use chat_server::ChatServer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

/// Longer than any test takes.
const TEST_TIMEOUT: Duration = Duration::from_secs(20);

struct Proxy {
    child: Child,
    output: BufReader<ChildStdout>,
    address: String,
}

impl Proxy {
    /// Starts the proxy on a free port.
    fn start(to: &str, args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chat-conform"));
        command.args(["proxy", "--listen", ":0", "--to", to]).args(args).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        Self { child, output, address }
    }

    /// Waits for the proxy to exit. Returns what it printed.
    fn wait_output(mut self) -> String {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut self.output, &mut text).unwrap();
        text
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a `chat-server` on a free port.
async fn start_server() -> (ChatServer, std::net::SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = ChatServer::builder().build();
    tokio::spawn(server.serve(listener).into_future());
    (server, address)
}

/// Connects, sends `text`, and returns all that is received up to the close.
async fn exchange(address: &str, text: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut received = String::new();
    timeout(TEST_TIMEOUT, stream.read_to_string(&mut received)).await.unwrap().unwrap();
    received
}

#[tokio::test(flavor = "multi_thread")]
async fn traffic_is_forwarded_printed_saved_and_played() {
    let (server, address) = start_server().await;
    let saved = std::env::temp_dir().join(format!("chat-proxy-{}.case", std::process::id()));
    let args = ["--split", "3", "--delay", "1", "--coalesce", "5", "--connections", "2", "--save"];
    let proxy = Proxy::start(&address.to_string(), &[&args[..], &[saved.to_str().unwrap()]].concat());
    let received = exchange(&proxy.address, "PROT 0.1 CONNECT USER ann\r\nMSG café\r\nNOPE\r\nBYE\r\n").await;
    assert_eq!(received, "NAME OK\r\nWELCOME\r\nOK\r\nBAD REQ\r\nBYE\r\n");
    assert_eq!(exchange(&proxy.address, "hello\nBYE\n").await, "OK\nBYE\n");

    let printed = proxy.wait_output();
    for line in
        ["  A> PROT 0.1 CONNECT USER ann\\r\\n", "3.5  a message", "! A> NOPE\\r\\n", "4.1  a message", "  B< OK\\n"]
    {
        assert!(printed.contains(line), "{line:?} is not in\n{printed}");
    }
    let suite = Suite::from_file(&saved).unwrap();
    let cases = suite.select(Side::Server, &Select::default());
    let played = play(address, ServerOptions::new(TEST_TIMEOUT), cases[0], 7).await;
    assert!(played.is_ok(), "{}", played.unwrap_err().what);
    server.cut();
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_lines_are_marked() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::start(&listener.local_addr().unwrap().to_string(), &["--connections", "1"]);
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 3];
        stream.read_exact(&mut request).await.unwrap();
        stream.write_all(b"OK\r\nPING\n").await.unwrap();
    };
    let (received, ()) = tokio::join!(exchange(&proxy.address, "hi\n"), serve);
    assert_eq!(received, "OK\r\nPING\n");
    let printed = proxy.wait_output();
    let marked: Vec<_> = printed.lines().filter(|line| line.starts_with('!')).collect();
    assert_eq!(marked.len(), 2, "{printed}");
    assert!(marked[0].contains(" 1.2 ") && marked[1].contains(" 4.5 "), "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lines_after_a_refused_one_are_not_blamed_and_the_saved_case_plays() {
    let (server, address) = start_server().await;
    let saved = std::env::temp_dir().join(format!("chat-proxy-{}-refused.case", std::process::id()));
    let args = ["--connections", "2", "--save", saved.to_str().unwrap()];
    let proxy = Proxy::start(&address.to_string(), &args);
    let text = format!("PROT 0.1 CONNECT USER ann\r\nMSG {}\r\nMSG hi\r\nBYE\r\n", "x".repeat(20_000));
    assert_eq!(exchange(&proxy.address, &text).await, "NAME OK\r\nWELCOME\r\nBAD REQ\r\nOK\r\nBYE\r\n");
    assert_eq!(exchange(&proxy.address, "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n").await, "BAD REQ\r\n");

    let printed = proxy.wait_output();
    let marked: Vec<_> = printed.lines().filter(|line| line.starts_with('!')).collect();
    assert!(matches!(marked[..], [long, http] if long.contains(" 1.3 ") && http.contains(" 2.4 ")), "{printed}");
    let suite = Suite::from_file(&saved).unwrap();
    let cases = suite.select(Side::Server, &Select::default());
    let played = play(address, ServerOptions::new(TEST_TIMEOUT), cases[0], 7).await;
    assert!(played.is_ok(), "{}", played.unwrap_err().what);
    server.cut();
}
