//! A bot in the server's own program: it greets every client that joins, and answers `!time` and `!stop`.
//!
//! `cargo run --example bot`, then `nc localhost PORT`.
#![allow(clippy::print_stdout)]

use std::time::Instant;

use chat_server::{ChatServer, Event, LocalClient, LocalError};
use tokio::net::TcpListener;

/// Runs the bot until a client sends `!stop`.
async fn answer(mut bot: LocalClient) -> Result<(), LocalError> {
    let started = Instant::now();
    loop {
        match bot.recv().await? {
            Event::Joined { member, .. } => _ = bot.send(format!("welcome, {member}")).await?,
            Event::Message { text, .. } if text.as_str() == "!time" => {
                bot.send(format!("open for {} s", started.elapsed().as_secs())).await?;
            }
            Event::Message { text, .. } if text.as_str() == "!stop" => {
                bot.leave();
                return Ok(());
            }
            _ => {}
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = ChatServer::builder().build();
    let bot = server.local("bot").await?;

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {}", listener.local_addr()?);

    // The server stops when the bot ends.
    let stop = async {
        if let Err(error) = answer(bot).await {
            println!("the bot gave up: {error}");
        }
    };
    server.serve(listener).with_graceful_shutdown(stop).await;
    Ok(())
}
