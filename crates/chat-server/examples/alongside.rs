//! A chat server beside other work in one program. The work counts to ten and announces each number in the room. The
//! program also counts the messages of the room.
//!
//! `cargo run --example alongside`, then `nc localhost PORT`. The program stops after the number ten, or at Ctrl-C.
#![allow(clippy::print_stdout)]

use std::time::Duration;

use chat_server::{ChatServer, Event, Events};
use tokio::{net::TcpListener, time::interval};

/// The program's own work.
async fn count(server: ChatServer, to: u32) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let counter = server.local("counter").await?;
    let mut ticks = interval(Duration::from_millis(100));
    for n in 1..=to {
        ticks.tick().await;
        counter.send(format!("{n} of {to}")).await?;
    }
    counter.leave();
    Ok(())
}

/// Counts messages with the events of the server. This needs no client in the room.
async fn watch(mut events: Events) -> usize {
    let mut messages = 0;
    while let Some(event) = events.recv().await {
        match event {
            Ok(Event::Message { .. }) => messages += 1,
            Ok(_) => {}
            Err(lost) => println!("the count is too low: {lost}"),
        }
    }
    messages
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {}", listener.local_addr()?);

    let server = ChatServer::builder().build();
    let watching = tokio::spawn(watch(server.events()));
    let serving = tokio::spawn(server.serve(listener).into_future());

    tokio::select! {
        counted = count(server.clone(), 10) => counted?,
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    server.shutdown().await;
    serving.await?;
    println!("{} messages", watching.await?);
    Ok(())
}
