//! The gateway for `WebSocket`s.

use std::{net::SocketAddr, time::Duration};

use futures::{SinkExt, StreamExt};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::{interrupt, start};

struct Browser(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Browser {
    async fn open(address: SocketAddr) -> Self {
        Self(connect_async(format!("ws://{address}/chat")).await.unwrap().0)
    }

    async fn join(address: SocketAddr, name: &str) -> Self {
        let mut browser = Self::open(address).await;
        browser.send(&format!("PROT 0.1 CONNECT USER {name}")).await;
        browser.expect("NAME OK").await;
        browser.expect("WELCOME").await;
        browser
    }

    async fn send(&mut self, line: &str) {
        self.0.send(Message::text(line)).await.unwrap();
    }

    /// The next frame. `None`: the connection has ended without a close frame.
    async fn frame(&mut self) -> Option<Message> {
        timeout(Duration::from_secs(20), self.0.next()).await.expect("a frame in time").and_then(Result::ok)
    }

    async fn expect(&mut self, line: &str) {
        assert_eq!(self.frame().await, Some(Message::text(line)));
    }

    async fn expect_close(&mut self) {
        assert!(matches!(self.frame().await, Some(Message::Close(_))));
        assert_eq!(self.frame().await, None);
    }
}

#[tokio::test]
async fn a_line_is_a_frame_and_both_sides_can_close() {
    let mut example = start("websocket", &[]);
    let address = example.address();
    let mut ann = Browser::join(address, "ann").await;
    let mut bob = Browser::join(address, "bob").await;
    ann.expect("JOIN bob").await;

    bob.send("MSG two spaces  ").await;
    bob.expect("OK").await;
    ann.expect("FROM bob MSG two spaces  ").await;
    // A frame with line breaks is several lines, as over TCP.
    bob.send("MSG one\r\nMSG two").await;
    bob.expect("OK").await;
    bob.expect("OK").await;
    ann.expect("FROM bob MSG one").await;
    ann.expect("FROM bob MSG two").await;

    bob.0.send(Message::Ping("are you there".into())).await.unwrap();
    assert_eq!(bob.frame().await, Some(Message::Pong("are you there".into())));

    bob.0.close(None).await.unwrap();
    bob.expect_close().await;
    ann.expect("LOGOUT bob").await;

    let mut carol = Browser::join(address, "carol").await;
    ann.expect("JOIN carol").await;
    carol.send("BYE").await;
    carol.expect("BYE").await;
    carol.expect_close().await;
    ann.expect("LOGOUT carol").await;

    let ended = tokio::task::spawn_blocking(|| interrupt(example));
    ann.expect("BYE").await;
    ann.expect_close().await;
    assert_eq!(ended.await.unwrap(), "1 drained, 0 cut\n");
}

#[tokio::test]
async fn long_lines_are_refused_and_longer_frames_end_the_connection() {
    let mut example = start("websocket", &[]);
    let address = example.address();
    let mut ann = Browser::join(address, "ann").await;
    ann.send(&format!("MSG {}", "x".repeat(9_000))).await;
    ann.expect("BAD REQ").await;

    for too_much in [Message::text("x".repeat(20_000)), Message::binary("MSG hi")] {
        let mut bob = Browser::join(address, "bob").await;
        ann.expect("JOIN bob").await;
        bob.0.send(too_much).await.unwrap();
        while bob.frame().await.is_some() {}
        ann.expect("LOGOUT bob").await;
    }
    // Plain sessions are served too: what is typed into a console is a message.
    let mut guest = Browser::open(address).await;
    guest.send("hello").await;
    guest.expect("OK").await;
    ann.expect("JOIN guest1").await;
    ann.expect("FROM guest1 MSG hello").await;
    drop((ann, guest));
    interrupt(example);
}
