//! A whole session with a peer that sends any bytes in any pieces. The peer and a bystander receive only lines of the
//! protocol, and the server keeps nothing of the session.

use std::time::Duration;

use chat_proto::ServerMessage;
use chat_server::{ChatServer, Peer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    time::{sleep, timeout},
};

/// The first byte of the input gives the number of piece lengths, in its low three bits. Then come these lengths, one
/// byte each, which are used in turn. The rest is sent.
pub(crate) fn check(input: &[u8]) {
    let Some((&lengths, rest)) = input.split_first() else { return };
    let (lengths, bytes) = rest.split_at(rest.len().min(usize::from(lengths & 7)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let run = timeout(Duration::from_secs(10_000), run(bytes, lengths)).await;
        run.expect("it ends");
    });
}

async fn run(bytes: &[u8], lengths: &[u8]) {
    let server = ChatServer::builder().build();
    let mut bystander = attach(&server);
    bystander.write_all(b"PROT 0.1 CONNECT USER bystander\r\n").await.expect("a server that listens");
    let bystander = tokio::spawn(listen(bystander));

    let (reader, mut writer) = tokio::io::split(attach(&server));
    let hearing = tokio::spawn(listen(reader));
    let (mut rest, mut lengths) = (bytes, lengths.iter().map(|&length| usize::from(length).max(1)).cycle());
    while !rest.is_empty() {
        let (piece, later) = rest.split_at(lengths.next().unwrap_or(rest.len()).min(rest.len()));
        if writer.write_all(piece).await.is_err() {
            break;
        }
        // Paused time advances when the server is idle.
        sleep(Duration::from_millis(1)).await;
        rest = later;
    }
    // The connection may be closed already.
    let _ = writer.shutdown().await;
    check_lines(&hearing.await.expect("no panic"));
    server.shutdown().await;
    check_lines(&bystander.await.expect("no panic"));
    let stats = server.stats();
    assert_eq!((stats.connections, stats.clients, stats.tasks), (0, 0, 0), "{stats}");
    assert!(!stats.to_string().contains("panicked"), "{stats}");
}

fn attach(server: &ChatServer) -> DuplexStream {
    let (ours, theirs) = duplex(1 << 20);
    server.attach(theirs, Peer::labelled("fuzz"));
    ours
}

async fn listen(mut stream: impl tokio::io::AsyncRead + Unpin) -> String {
    let mut received = String::new();
    stream.read_to_string(&mut received).await.expect("UTF-8");
    received
}

/// Checks that these are whole lines that a server may send.
fn check_lines(received: &str) {
    for line in received.split_inclusive('\n') {
        let line = line.strip_suffix('\n').expect("a whole line");
        let line = line.strip_suffix('\r').unwrap_or(line);
        assert!(!matches!(ServerMessage::parse(line.to_owned()), Err(_) | Ok(ServerMessage::Other(_))), "{line:?}");
    }
}
