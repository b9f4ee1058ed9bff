//! Several rooms in one program: one server and one port each, and one limit on the clients of all of them. A bot
//! carries what is said in the hall, the first room, to the others.
//!
//! `cargo run --example rooms`, then `nc localhost PORT`; `!stop` in the hall stops it.
#![allow(clippy::print_stdout)]

use chat_server::{ChatServer, Event, Limits, Text};
use futures::future::join_all;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let limits = Limits::new().max_clients(100).share();
    let rooms = ["hall", "tea", "coffee"].map(|_| ChatServer::builder().shared_limits(&limits).build());
    // It is in the hall before anybody else can be.
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
        // A text of full length becomes too long by the name.
        let text = Text::shortened(&format!("{from}: {text}"))?;
        for room in &rooms[1..] {
            room.notice(text.clone()).await;
        }
    }
    // Together: one after the other, each could take its drain timeout.
    join_all(rooms.iter().map(ChatServer::shutdown)).await;
    Ok(())
}
