//! The command `class`, with a correct server and a closed port.

use std::{fs, net::TcpListener as StdListener, process::Command};

use chat_server::ChatServer;
use tokio::net::TcpListener;

#[tokio::test(flavor = "multi_thread")]
async fn a_class_gets_a_csv_table_and_a_page() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let correct = listener.local_addr().unwrap();
    let closed = StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = ChatServer::builder().build();
    tokio::spawn(server.serve(listener).into_future());

    let path = |name: &str| std::env::temp_dir().join(format!("chat-class-{}-{name}", std::process::id()));
    let (table, html) = (path("class.csv"), path("scores.html"));
    // The same server twice: its rows are judged one after the other.
    fs::write(&table, format!("\u{feff}name,address\n\"Ann <A>\",{correct}\nBob,{closed}\nEve,{correct}\n")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-conform"));
    let history = path("history.jsonl");
    fs::write(&history, "{\"time\":1,\"scores\":{\"Ann <A>\":[1,2]}}\n").unwrap();
    command.arg("class").arg(&table).arg("--html").arg(&html).arg("--history").arg(&history).args(["--level", "plain"]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    server.cut();

    let scores = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<_> = scores.lines().collect();
    assert_eq!(rows[0], "name,address,plain,named,robust,remark");
    let plain = rows[1].split(',').nth(2).unwrap();
    let (passed, of) = plain.split_once('/').unwrap();
    assert!(passed == of && of.parse::<u32>().unwrap() > 50, "{scores}");
    assert!(rows[2].contains("cannot connect ("), "{scores}");
    assert_eq!(rows[3].split(',').nth(2), Some(plain));
    assert_eq!(output.status.code(), Some(1));
    let page = fs::read_to_string(html).unwrap();
    assert!(page.contains("Ann &lt;A&gt;") && page.contains(plain) && page.contains("cannot connect ("), "{page}");
    assert!(page.contains("50 → 100"), "{page}");
    assert_eq!(fs::read_to_string(history).unwrap().lines().count(), 2);
}
