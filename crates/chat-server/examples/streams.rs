//! Clients over streams other than TCP, in one room: one in memory, one over a Unix socket. The program ends by itself.
//!
//! `cargo run --example streams`
#![allow(clippy::print_stdout)]

use chat_server::{ChatServer, Peer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};

/// Joins, sends one message, leaves, and returns all received lines.
async fn visit(stream: impl AsyncRead + AsyncWrite + Unpin, name: &str) -> std::io::Result<Vec<String>> {
    let mut stream = BufReader::new(stream);
    let visit = format!("PROT 0.1 CONNECT USER {name}\r\nMSG hello from {name}\r\nBYE\r\n");
    stream.write_all(visit.as_bytes()).await?;
    let mut received = Vec::new();
    let mut lines = stream.lines();
    while let Some(line) = lines.next_line().await? {
        received.push(line);
    }
    Ok(received)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = ChatServer::builder().build();

    // Any stream can be a client.
    let (ours, theirs) = tokio::io::duplex(1024);
    server.attach(theirs, Peer::labelled("memory"));
    println!("memory: {}", visit(ours, "ann").await?.join(" | "));

    #[cfg(unix)]
    {
        use chat_server::listen::UnixSocket;

        let path = std::env::temp_dir().join(format!("chat-example-{}.sock", std::process::id()));
        let serving = tokio::spawn(server.serve(UnixSocket::bind(&path)?).into_future());
        let stream = tokio::net::UnixStream::connect(&path).await?;
        println!("unix: {}", visit(stream, "bob").await?.join(" | "));
        server.shutdown().await;
        serving.await?;
    }
    Ok(())
}
