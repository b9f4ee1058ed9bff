//! The program of the project's README: it serves a room and greets everybody who joins.
//!
//! `cargo run --example greeter`, then `nc localhost 3333`.

use chat_server::{ChatServer, Event};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:3333").await?;
    let server = ChatServer::builder().max_clients(100).build();
    let mut bot = server.local("bot").await?; // joins without a socket
    tokio::spawn(server.serve(listener).into_future());
    loop {
        if let Event::Joined { member, .. } = bot.recv().await? {
            bot.send(format!("welcome, {member}")).await?; // returns when it is accepted
        }
    }
}
