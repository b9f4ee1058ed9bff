//! A chat server in your own program, which provides the listener and decides when to stop.
//!
//! `cargo run --example embed`, then `nc localhost PORT`. Ctrl-C stops the server.
#![allow(clippy::print_stdout)]

use chat_server::ChatServer;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {}", listener.local_addr()?);

    let server = ChatServer::builder().max_clients(100).build();
    let stop = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    let report = server.serve(listener).with_graceful_shutdown(stop).await;

    println!("{} drained, {} cut", report.drained, report.cut);
    Ok(())
}
