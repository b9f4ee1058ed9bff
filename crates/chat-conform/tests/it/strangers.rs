//! The judge shares the server with others: a second judge, and a crowd of guests and named clients that come, talk and
//! go. It accuses nobody falsely.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chat_conform::{ExpectedFailures, Report, Select, Side, Suite, judge_server};
use chat_server::ChatServer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// A client that joins, talks and leaves, again and again. Guests say what the cases of the judge say.
async fn chat(address: SocketAddr, number: usize, ends: Arc<AtomicBool>) {
    while !ends.load(Ordering::Relaxed) {
        let Ok(mut stream) = TcpStream::connect(address).await else { return };
        let lines = if number.is_multiple_of(2) {
            format!("PROT 0.1 CONNECT USER crowd{number}\r\nMSG hello\r\nREQ CLIENTS\r\nMSG now\r\nBYE\r\n")
        } else {
            "hello\r\none\r\nnow\r\nstill here\r\nBYE\r\n".to_owned()
        };
        if stream.write_all(lines.as_bytes()).await.is_ok() {
            drop(stream.read_to_end(&mut Vec::new()).await);
        }
    }
}

async fn judge(address: SocketAddr) -> Report {
    let suite = Suite::embedded().unwrap();
    let cases = suite.select(Side::Server, &Select::default());
    let known = ExpectedFailures::default();
    judge_server(&address.to_string(), &cases, Duration::from_secs(20), &known, |_| {}).await.unwrap()
}

fn failures(report: &Report) -> Vec<String> {
    report.cases.iter().filter(|case| case.failure.is_some()).map(ToString::to_string).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_judges_and_a_crowd_share_a_server() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = ChatServer::builder().build();
    tokio::spawn(server.serve(listener).into_future());
    let ends = Arc::new(AtomicBool::new(false));
    let crowd: JoinSet<()> = (0..6).map(|number| chat(address, number, Arc::clone(&ends))).collect();
    let (first, second) = tokio::join!(judge(address), judge(address));
    ends.store(true, Ordering::Relaxed);
    crowd.join_all().await;
    server.cut();
    for report in [first, second] {
        assert!(report.passed(true), "{}", failures(&report).join("\n"));
    }
}
