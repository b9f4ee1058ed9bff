//! The web app beside the chat.

use std::net::SocketAddr;

use crate::{interrupt, start, support::Peer};

/// Sends a request, and returns the status and the body of the answer.
async fn request(address: SocketAddr, head: &str, body: &str) -> (String, String) {
    let mut peer = Peer::tcp(address).await;
    let length = body.len();
    let head = format!("{head} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: {length}");
    let head = head.replace(" +json HTTP/1.1", " HTTP/1.1\r\ncontent-type: application/json");
    peer.raw(format!("{head}\r\n\r\n{body}").as_bytes()).await;
    let answer = peer.into_rest().await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().to_owned(), body.to_owned())
}

#[tokio::test]
async fn the_web_app_lists_clients_and_sends_notices_and_stops_with_the_chat() {
    let mut example = start("axum", &[]);
    let (chat, web) = (example.address(), example.address());
    let mut ann = Peer::tcp(chat).await.join("ann").await;
    assert_eq!(request(web, "GET /clients", "").await, ("200".into(), "[\"ann\"]".into()));

    assert_eq!(request(web, "POST /notice +json", "\"tea is ready\"").await, ("200".into(), "2".into()));
    ann.expect("NOTICE tea is ready").await;
    assert_eq!(request(web, "POST /notice +json", "\"two\\nlines\"").await.0, "422");
    assert_eq!(request(web, "POST /notice", "a form of another site").await.0, "415");

    // A connection that is kept alive does not delay the end.
    let mut idle = Peer::tcp(web).await;
    idle.raw(b"GET /clients HTTP/1.1\r\nhost: test\r\n\r\n").await;
    assert_eq!(idle.line().await, "HTTP/1.1 200 OK");
    let ended = tokio::task::spawn_blocking(|| interrupt(example));
    ann.expect("BYE").await;
    drop(ann);
    assert_eq!(ended.await.unwrap(), "1 drained, 0 cut\n");
}
