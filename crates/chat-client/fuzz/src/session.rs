//! A whole session with a server that sends any bytes in any pieces. It must end, and must not report more messages as
//! accepted than were sent.

use std::time::Duration;

use chat_client::{ChatClient, Events, Login};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    time::{sleep, timeout},
};

/// Number of messages that the client sends.
const MESSAGES: u64 = 3;

/// The low three bits of the first byte are the number of lengths that follow; its highest bit makes the client a
/// guest. The rest is sent in pieces of these lengths, in turn.
pub(crate) fn check(input: &[u8]) {
    let Some((&first, rest)) = input.split_first() else { return };
    let (lengths, bytes) = rest.split_at(rest.len().min(usize::from(first & 7)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let (ours, theirs) = duplex(1 << 16);
        let server = tokio::spawn(serve(theirs, bytes.to_vec(), lengths.to_vec()));
        let session = timeout(Duration::from_secs(10_000), session(ours, first & 0x80 != 0)).await;
        session.expect("it ends");
        server.await.expect("no panic");
    });
}

async fn serve(stream: DuplexStream, bytes: Vec<u8>, lengths: Vec<u8>) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let reading = tokio::spawn(async move {
        let mut buffer = [0; 1_024];
        while matches!(reader.read(&mut buffer).await, Ok(1..)) {}
    });
    let (mut rest, mut lengths) = (&bytes[..], lengths.iter().map(|&length| usize::from(length).max(1)).cycle());
    while !rest.is_empty() {
        let (piece, later) = rest.split_at(lengths.next().unwrap_or(rest.len()).min(rest.len()));
        if writer.write_all(piece).await.is_err() {
            break;
        }
        // On paused time, this returns when the client has done all it can.
        sleep(Duration::from_millis(1)).await;
        rest = later;
    }
    // It may be closed already.
    let _ = writer.shutdown().await;
    reading.await.expect("no panic");
}

async fn session(stream: DuplexStream, as_guest: bool) {
    let login = Login::over(stream);
    let (client, mut events): (ChatClient, Events) = if as_guest {
        login.as_guest()
    } else {
        match login.log_in("bob".parse().expect("a name")).await {
            Ok(session) => session,
            // The login failed: that is a valid end.
            Err(_) => return,
        }
    };
    let mut receipts = Vec::new();
    for message in 0..MESSAGES {
        if let Ok(receipt) = client.queue(message.to_string().parse().expect("a text")).await {
            receipts.push(receipt);
        }
    }
    while events.next().await.is_some() {}
    let mut accepted = 0;
    for receipt in receipts {
        accepted += u64::from(receipt.await.is_ok());
    }
    let report = client.closed().await;
    assert!(report.accepted == accepted && accepted <= MESSAGES, "{report:?}, {accepted} accepted");
}
