//! Several rooms in one program. Each room is a server with a port of its own. One limit counts the clients of all rooms.
//! A bot repeats the messages of the hall, the first room, in the other rooms.
//!
//! `cargo run --example rooms`, then `nc localhost PORT`. The message `!stop` in the hall stops the program.
#![allow(clippy::print_stdout)]

use chat_server::{ChatServer, Event, Limits, Text};
use futures::future::join_all;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let limits = Limits::new().max_clients(100).share();
    let rooms = ["hall", "tea", "coffee"].map(|_| ChatServer::builder().shared_limits(&limits).build());
    // The bot joins before any client can connect, so it receives every message.
    let mut herald = rooms[0].local("herald").await?;
    for room in &rooms {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("listening on {}", listener.local_addr()?);
        tokio::spawn(room.serve(listener).into_future());
    }

    loop {
        let Event::Message { from, text, .. } = herald.recv().await? else { continue };
        if text.as_str() == "!stop" {
            break;
        }
        // With the name, the text may be too long.
        let text = Text::shortened(&format!("{from}: {text}"))?;
        for room in &rooms[1..] {
            room.notice(text.clone()).await;
        }
    }
    // Stop all rooms at the same time. One after the other, each could take its drain timeout.
    join_all(rooms.iter().map(ChatServer::shutdown)).await;
    Ok(())
}
