//! Several rooms in one program: one server and one port each, and one limit on the clients of all of them. A bot
//! carries what is said in the hall, the first room, to the others.
//!
//! `cargo run --example rooms`, then `nc localhost PORT`; `!stop` in the hall stops it.
#![allow(clippy::print_stdout)]

use chat_server::{ChatServer, Event, Limits};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let limits = Limits::new().max_clients(100).share();
    let mut rooms = Vec::new();
    for _ in ["hall", "tea", "coffee"] {
        let room = ChatServer::builder().shared_limits(&limits).build();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("listening on {}", listener.local_addr()?);
        tokio::spawn(room.serve(listener).into_future());
        rooms.push(room);
    }

    let mut herald = rooms[0].local("herald").await?;
    loop {
        match herald.recv().await? {
            Event::Message { text, .. } if text.as_str() == "!stop" => break,
            Event::Message { text, .. } => {
                for room in &rooms[1..] {
                    room.notice(text.clone()).await;
                }
            }
            _ => {}
        }
    }
    for room in &rooms {
        room.shutdown().await;
    }
    Ok(())
}
