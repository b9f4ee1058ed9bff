//! Own storage: every message goes into an SQL database, in batches, on a thread that may block. Who joins is shown the
//! last lines before that. If the server outruns the database, the gap is stored and shown too.
//!
//! `cargo run --example sqlite FILE`, then `nc localhost PORT`. Ctrl-C stops it when everything is stored.
#![allow(clippy::print_stdout)]

use std::error::Error;

use chat_server::{ChatServer, ConnId, Event, Events, EventsLost, Text};
use futures::StreamExt;
use rusqlite::Connection;
use tokio::{net::TcpListener, task::spawn_blocking};

const SCHEMA: &str = "PRAGMA journal_mode = WAL;
    CREATE TABLE IF NOT EXISTS line (id INTEGER PRIMARY KEY, at TEXT DEFAULT CURRENT_TIMESTAMP, line TEXT NOT NULL)";
const LAST: &str =
    "SELECT line FROM (SELECT id, at || ' ' || line AS line FROM line ORDER BY id DESC LIMIT 5) ORDER BY id";

/// Who joined, and what to show them.
type Newcomers = Vec<(ConnId, Vec<String>)>;

/// Stores a batch.
fn store(db: &mut Connection, batch: Vec<Result<Event, EventsLost>>) -> rusqlite::Result<Newcomers> {
    let mut newcomers = Vec::new();
    let transaction = db.transaction()?;
    for event in batch {
        let line = match event {
            Ok(Event::Message { from, text, .. }) => format!("{from}: {text}"),
            Ok(Event::Joined { member, .. }) => {
                let mut last = transaction.prepare_cached(LAST)?;
                newcomers.push((member.id(), last.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?));
                continue;
            }
            Ok(_) => continue,
            Err(lost) => format!("({lost})"),
        };
        transaction.prepare_cached("INSERT INTO line (line) VALUES (?1)")?.execute([line])?;
    }
    transaction.commit()?;
    Ok(newcomers)
}

async fn record(chat: &ChatServer, events: Events, mut db: Connection) -> Result<(), Box<dyn Error + Send + Sync>> {
    // All events that are there, and at most this many, are one transaction.
    let mut batches = events.ready_chunks(1_000);
    while let Some(batch) = batches.next().await {
        let newcomers;
        (db, newcomers) = spawn_blocking(|| store(&mut db, batch).map(|newcomers| (db, newcomers))).await??;
        for (id, lines) in newcomers {
            let chat = chat.clone();
            // A task of its own: a client that does not read must not hold up the recording.
            tokio::spawn(async move {
                for text in lines.iter().filter_map(|line| Text::shortened(line).ok()) {
                    chat.notice_to(id, text).await;
                }
            });
        }
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let db = Connection::open(std::env::args().nth(1).ok_or("give the file of the database")?)?;
    db.execute_batch(SCHEMA)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {}", listener.local_addr()?);

    let chat = ChatServer::builder().build();
    let (events, recorded) = (chat.events(), chat.clone());
    let recording = tokio::spawn(async move {
        let stored = record(&recorded, events, db).await;
        recorded.shutdown().await; // There is no chat without storage.
        stored
    });
    let interrupted = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    chat.serve(listener).with_graceful_shutdown(interrupted).await;
    recording.await?
}
