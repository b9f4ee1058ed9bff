//! A whole session of a server with a peer that sends any bytes in any pieces: what comes back are lines of the protocol, a
//! bystander hears nothing else either, and nothing is left behind.

use std::time::Duration;

use chat_proto::ServerMessage;
use chat_server::{ChatServer, PeerInfo};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    time::{sleep, timeout},
};

/// An input is bytes, and before them how to cut them: how many lengths of pieces, in the low three bits; and these, which
/// are taken in turn.
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
        // On paused time, this goes on when the server has done what it could.
        sleep(Duration::from_millis(1)).await;
        rest = later;
    }
    // It may be closed already.
    let _ = writer.shutdown().await;
    lines(&hearing.await.expect("no panic"));
    server.shutdown().await;
    lines(&bystander.await.expect("no panic"));
    let stats = server.stats();
    assert_eq!((stats.connections, stats.clients, stats.tasks), (0, 0, 0), "{stats}");
    assert!(!stats.to_string().contains("panicked"), "{stats}");
}

fn attach(server: &ChatServer) -> DuplexStream {
    let (ours, theirs) = duplex(1 << 20);
    server.attach(theirs, PeerInfo::named("fuzz"));
    ours
}

async fn listen(mut stream: impl tokio::io::AsyncRead + Unpin) -> String {
    let mut heard = String::new();
    stream.read_to_string(&mut heard).await.expect("UTF-8");
    heard
}

/// Whole lines, each of them one that a server may say.
fn lines(heard: &str) {
    for line in heard.split_inclusive('\n') {
        let line = line.strip_suffix('\n').expect("a whole line");
        let line = line.strip_suffix('\r').unwrap_or(line);
        assert!(!matches!(ServerMessage::parse(line.to_owned()), Err(_) | Ok(ServerMessage::Other(_))), "{line:?}");
    }
}
