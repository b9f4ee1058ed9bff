//! The proxy: changes nothing but the pace, tells what is wrong, and saves what can be played again.

use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use chat_conform::{Select, Side, Suite, play};
use chat_server::ChatServer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(20);

struct Proxy {
    child: Child,
    output: BufReader<ChildStdout>,
    address: String,
}

impl Proxy {
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

    /// What it has told up to its end.
    fn end(mut self) -> String {
        let mut told = String::new();
        std::io::Read::read_to_string(&mut self.output, &mut told).unwrap();
        told
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn server() -> (ChatServer, std::net::SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = ChatServer::builder().build();
    tokio::spawn(server.serve(listener).into_future());
    (server, address)
}

/// Says all of it, and gives what comes up to the end.
async fn talk(address: &str, said: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(said.as_bytes()).await.unwrap();
    let mut heard = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut heard)).await.unwrap().unwrap();
    heard
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_seen_is_told_saved_and_played_again() {
    let (server, address) = server().await;
    let saved = std::env::temp_dir().join(format!("chat-proxy-{}.case", std::process::id()));
    let args = ["--split", "3", "--delay", "1", "--coalesce", "5", "--connections", "2", "--save"];
    let proxy = Proxy::start(&address.to_string(), &[&args[..], &[saved.to_str().unwrap()]].concat());
    let heard = talk(&proxy.address, "PROT 0.1 CONNECT USER ann\r\nMSG café\r\nNOPE\r\nBYE\r\n").await;
    assert_eq!(heard, "NAME OK\r\nWELCOME\r\nOK\r\nBAD REQ\r\nBYE\r\n");
    assert_eq!(talk(&proxy.address, "hello\nBYE\n").await, "OK\nBYE\n");

    let told = proxy.end();
    for line in
        ["  A> PROT 0.1 CONNECT USER ann\\r\\n", "3.5  a message", "! A> NOPE\\r\\n", "4.1  a message", "  B< OK\\n"]
    {
        assert!(told.contains(line), "{line:?} is not in\n{told}");
    }
    let suite = Suite::of_file(&saved).unwrap();
    let cases = suite.select(Side::Server, &Select::default());
    let again = play(address, PATIENCE, cases[0], 7).await;
    assert!(again.is_ok(), "{}", again.unwrap_err().what);
    server.cut();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_marked() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::start(&listener.local_addr().unwrap().to_string(), &["--connections", "1"]);
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut heard = [0; 3];
        stream.read_exact(&mut heard).await.unwrap();
        stream.write_all(b"OK\r\nPING\n").await.unwrap();
    };
    let (heard, ()) = tokio::join!(talk(&proxy.address, "hi\n"), serve);
    assert_eq!(heard, "OK\r\nPING\n");
    let told = proxy.end();
    let marked: Vec<_> = told.lines().filter(|line| line.starts_with('!')).collect();
    assert_eq!(marked.len(), 2, "{told}");
    assert!(marked[0].contains(" 1.2 ") && marked[1].contains(" 4.5 "), "{told}");
}
