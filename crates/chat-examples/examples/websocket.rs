//! A gateway for browsers: each WebSocket is a client like any other, with the same limits and timeouts. A line is a text
//! frame.
//!
//! `cargo run --example websocket`, then in the console of a browser: `ws = new WebSocket("ws://localhost:PORT/chat")`,
//! `ws.onmessage = m => m.data == "PING" ? ws.send("PONG") : console.log(m.data)`, `ws.send("hello")`.
#![allow(clippy::print_stdout)]

use std::{io, net::SocketAddr};

use axum::{
    Router,
    extract::{
        ConnectInfo, State, WebSocketUpgrade,
        ws::{Message, Utf8Bytes, WebSocket},
    },
    response::Response,
    routing::get,
    serve::ListenerExt,
};
use bytes::{Bytes, BytesMut};
use chat_server::{ChatServer, Peer, listen::set_tcp_options};
use futures::{SinkExt, StreamExt, stream};
use tokio::net::TcpListener;
use tokio_util::io::{CopyToBytes, SinkWriter, StreamReader};

/// A longer frame ends the connection. A line of more than 8,192 bytes is answered `BAD REQ`.
const MAX_FRAME_BYTES: usize = 16_384;

async fn upgrade(
    State(chat): State<ChatServer>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let upgrade = upgrade.max_message_size(MAX_FRAME_BYTES).read_buffer_size(4_096).write_buffer_size(16_384);
    upgrade.on_upgrade(async move |socket| attach(&chat, socket, Peer::from(address).with_label("websocket")))
}

/// Hands the WebSocket to the server, which reads, writes, waits and closes as with any other stream.
fn attach(chat: &ChatServer, socket: WebSocket, peer: Peer) {
    let (to_browser, from_browser) = socket.split();

    let lines = from_browser.filter_map(async |frame| match frame {
        Ok(Message::Text(line)) => Some(Ok(Bytes::from(format!("{line}\r\n")))),
        Ok(Message::Binary(_)) => Some(Err(io::Error::new(io::ErrorKind::InvalidData, "a frame that is no text"))),
        // Pings are answered by the WebSocket itself. After a close frame, the stream ends.
        Ok(Message::Ping(_) | Message::Pong(_) | Message::Close(_)) => None,
        Err(error) => Some(Err(io::Error::other(error))),
    });

    let mut unfinished = BytesMut::new();
    let frames = to_browser.sink_map_err(io::Error::other).with_flat_map(move |written: Bytes| {
        unfinished.extend_from_slice(&written);
        let mut frames = Vec::new();
        while let Some(end) = unfinished.iter().position(|&byte| byte == b'\n') {
            let line = unfinished.split_to(end + 1).freeze();
            let length = line[..end].strip_suffix(b"\r").map_or(end, <[u8]>::len);
            frames.push(Utf8Bytes::try_from(line.slice(..length)).map(Message::Text).map_err(io::Error::other));
        }
        stream::iter(frames)
    });

    chat.attach_halves(StreamReader::new(Box::pin(lines)), SinkWriter::new(CopyToBytes::new(frames)), peer);
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let chat = ChatServer::builder().build();
    let app = Router::new().route("/chat", get(upgrade)).with_state(chat.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {}", listener.local_addr()?);

    let interrupted = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let listener = listener.tap_io(|stream| _ = set_tcp_options(stream));
    axum::serve(listener, app).with_graceful_shutdown(interrupted).await?;
    let report = chat.shutdown().await;
    println!("{} drained, {} cut", report.drained, report.cut);
    Ok(())
}
