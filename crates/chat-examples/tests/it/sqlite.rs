//! Messages in a database.

use std::path::PathBuf;

use rusqlite::Connection;

use crate::{interrupt, start, support::Peer};

/// A path without a database.
fn fresh_path(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder.join("chat.sqlite")
}

#[tokio::test]
async fn messages_are_stored_and_the_last_ones_shown_to_newcomers() {
    let path = fresh_path("messages");
    let mut example = start("sqlite", &[path.to_str().unwrap()]);
    let address = example.address();
    let mut ann = Peer::tcp(address).await.join("ann").await;
    for number in 0..300 {
        ann.send(&format!("MSG number {number}")).await;
        ann.expect("OK").await;
    }
    let mut bob = Peer::tcp(address).await.join("bob").await;
    for number in 295..300 {
        let line = bob.line().await;
        assert!(line.starts_with("NOTICE 20") && line.ends_with(&format!(" ann: number {number}")), "{line}");
    }
    ann.expect("JOIN bob").await;
    bob.send(&format!("MSG {}", "é".repeat(2_000))).await;
    bob.expect("OK").await;
    drop((ann, bob));
    interrupt(example);

    let db = Connection::open(&path).unwrap();
    let stored: Vec<String> = db
        .prepare("SELECT line FROM line ORDER BY id")
        .and_then(|mut all| all.query_map([], |row| row.get(0))?.collect())
        .unwrap();
    let said = (0..300).map(|number| format!("ann: number {number}"));
    assert!(stored.iter().cloned().eq(said.chain([format!("bob: {}", "é".repeat(2_000))])));
    drop(db);

    // The next server shows what the last one stored, also what is too long for a notice as a whole.
    let mut example = start("sqlite", &[path.to_str().unwrap()]);
    let mut carol = Peer::tcp(example.address()).await.join("carol").await;
    for _ in 0..4 {
        assert!(carol.line().await.contains(" ann: number 29"));
    }
    let line = carol.line().await;
    assert!(line.contains(" bob: éé") && line.chars().count() == 2_000 + "NOTICE ".len(), "{line}");
    drop(carol);
    interrupt(example);
}

/// The database gets a trigger that fails: the chat stops, rather than to go on without storage.
#[tokio::test]
async fn an_error_of_the_database_stops_the_chat() {
    let path = fresh_path("error");
    let mut example = start("sqlite", &[path.to_str().unwrap()]);
    let mut ann = Peer::tcp(example.address()).await.join("ann").await;
    let db = Connection::open(&path).unwrap();
    db.execute_batch("CREATE TRIGGER full BEFORE INSERT ON line BEGIN SELECT RAISE(FAIL, 'no space'); END").unwrap();
    ann.send("MSG lost").await;
    ann.expect("OK").await;
    ann.expect("BYE").await;
    drop(ann);
    let (status, _, stderr) = example.end();
    assert!(!status.success() && stderr.contains("no space"), "{stderr}");
}
