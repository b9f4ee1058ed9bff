//! A web app beside the chat: one program, one runtime, one shutdown. `GET /clients` tells who is in the room, and
//! `POST /notice` tells all of them something.
//!
//! `cargo run --example axum`, then `nc localhost PORT` with the first port, and with the second one
//! `curl localhost:PORT/clients` and `curl localhost:PORT/notice --json '"tea is ready"'`; Ctrl-C stops both.
#![allow(clippy::print_stdout)]

use std::time::Duration;

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use chat_server::{ChatServer, Text};
use tokio::{net::TcpListener, time::timeout};

/// How long a web request may delay the end of the program.
const WEB_DRAIN: Duration = Duration::from_secs(5);

async fn clients(State(chat): State<ChatServer>) -> Json<Vec<String>> {
    Json(chat.clients().await.iter().map(ToString::to_string).collect())
}

/// Takes JSON only: a browser lets no page of another site send that without asking.
async fn notice(State(chat): State<ChatServer>, Json(text): Json<String>) -> Result<Json<u64>, (StatusCode, String)> {
    let text = Text::new(text).map_err(|error| (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))?;
    match chat.notice(text).await {
        Some(seq) => Ok(Json(seq)),
        None => Err((StatusCode::SERVICE_UNAVAILABLE, "the chat has stopped".into())),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let chat_listener = TcpListener::bind("127.0.0.1:0").await?;
    let web_listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {}", chat_listener.local_addr()?);
    println!("listening on {}", web_listener.local_addr()?);

    let chat = ChatServer::builder().build();
    let app = Router::new().route("/clients", get(clients)).route("/notice", post(notice)).with_state(chat.clone());

    // Ctrl-C stops the chat, and the web app stops with the chat, whatever stopped it.
    let web = tokio::spawn(axum::serve(web_listener, app).with_graceful_shutdown(chat.stopping()).into_future());
    let interrupted = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    let report = chat.serve(chat_listener).with_graceful_shutdown(interrupted).await;
    if let Ok(ended) = timeout(WEB_DRAIN, web).await {
        ended??;
    }
    println!("{} drained, {} cut", report.drained, report.cut);
    Ok(())
}
