//! The memory of idle servers: a program may have one for each room.

use std::{fs, process::Command};

use chat_server::ChatServer;

/// The most bytes that an idle server may hold after a client and a watcher have left.
const BYTES_PER_SERVER: usize = 20_000;
const SERVERS: usize = 1_000;

#[test]
fn an_idle_server_is_small() {
    // Measure in a process of its own, because other tests allocate in this one.
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "idle_server::resident_memory_of_idle_servers", "--ignored", "--nocapture"]);
    let output = command.output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let each: Option<usize> = stdout.lines().find_map(|line| line.split_once("bytes each: ")?.1.parse().ok());
    let each = each.unwrap_or_else(|| panic!("{stdout}{}", String::from_utf8_lossy(&output.stderr)));
    println!("{each} bytes for an idle server");
    assert!((500..=BYTES_PER_SERVER).contains(&each), "{each} bytes");
}

#[tokio::test]
#[ignore = "the test above runs this in a process of its own"]
async fn resident_memory_of_idle_servers() {
    let mut servers = Vec::with_capacity(SERVERS + 10);
    servers.extend(used_servers(10).await);
    let before = resident();
    servers.extend(used_servers(SERVERS).await);
    println!("\nbytes each: {}", (resident() - before) / SERVERS);
}

/// Servers that a client and a watcher have used and left.
async fn used_servers(count: usize) -> Vec<ChatServer> {
    let mut servers = Vec::with_capacity(count);
    for _ in 0..count {
        let server = ChatServer::builder().build();
        let watching = server.watch().await;
        let bot = server.local("bot").await.unwrap();
        bot.send("hello").await.unwrap();
        drop((bot, watching));
        // When this answers, the hub has handled the leave.
        assert!(server.clients().await.is_empty());
        servers.push(server);
    }
    servers
}

fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kib: usize = resident.trim().trim_end_matches(" kB").parse().unwrap();
    kib * 1_024
}
