//! Bad clients: they leave at once, reset their connection, do not read, or are killed.

use std::{
    net::SocketAddr,
    process::{Command, Stdio},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::sleep,
};

use super::{Progress, peer::Peer};
use crate::workspace;

const VISITORS: usize = 4;
const RESETTERS: usize = 2;
const SLEEPERS: usize = 4;
const KILLED: usize = 2;

/// What a client sends before it resets its connection.
const FIRST_BYTES: [&str; 5] = ["", "PROT 0.1 CONN", "PROT 0.1 CONNECT NEW\r\n", "hello\r\n", "GET / HTTP/1.1\r\n"];
/// Receive buffer of a client that does not read, in bytes. It is small, so that the client soon lags.
const SMALL_BUFFER: u32 = 4_096;

/// Starts the bad clients. They end when the run is over.
pub(super) fn start(clients: &mut JoinSet<Result<()>>, progress: &Arc<Progress>, address: SocketAddr) -> Result<()> {
    for n in 0..VISITORS {
        repeat(clients, progress, 20, move || visit(address, format!("visitor{n}")));
    }
    for n in 0..RESETTERS {
        let mut first_bytes = FIRST_BYTES.iter().cycle().skip(n);
        repeat(clients, progress, 10, move || reset(address, first_bytes.next().copied().unwrap_or_default()));
    }
    for n in 0..SLEEPERS {
        let sleeper_progress = Arc::clone(progress);
        repeat(clients, progress, 100, move || {
            read_nothing(Arc::clone(&sleeper_progress), address, format!("sleeper{n}"))
        });
    }
    let program = workspace::program("chat-client")?;
    for n in 0..KILLED {
        let program = program.clone();
        repeat(clients, progress, 100, move || {
            let mut client = Command::new(&program);
            client.args(["--name", &format!("killed{n}"), &address.to_string()]);
            start_and_kill(client)
        });
    }
    Ok(())
}

/// Spawns a client that repeats an action until the run is over. It pauses before each action, and counts it.
fn repeat<F: Future<Output = Result<()>> + Send + 'static>(
    clients: &mut JoinSet<Result<()>>,
    progress: &Arc<Progress>,
    pause_millis: u64,
    mut action: impl FnMut() -> F + Send + 'static,
) {
    let progress = Arc::clone(progress);
    clients.spawn(async move {
        loop {
            sleep(Duration::from_millis(pause_millis)).await;
            if progress.is_over.load(Ordering::Relaxed) {
                return Ok(());
            }
            progress.disruptions.fetch_add(1, Ordering::Relaxed);
            action().await?;
        }
    });
}

/// Joins, sends a message and leaves.
async fn visit(address: SocketAddr, name: String) -> Result<()> {
    let Peer { mut reader, mut writer } = Peer::join(address, &name).await?;
    writer.send("MSG just passing").await?;
    writer.send("BYE").await?;
    let mut last = String::new();
    loop {
        match reader.line().await? {
            "" if last == "BYE" => return Ok(()),
            "" => bail!("the last line that {name} received is {last:?} instead of BYE"),
            line => line.clone_into(&mut last),
        }
    }
}

/// Connects, sends these bytes, and resets the connection.
async fn reset(address: SocketAddr, first_bytes: &str) -> Result<()> {
    let mut stream = TcpStream::connect(address).await.context("cannot connect")?;
    // Fails if the server has closed the connection.
    let _ = stream.write_all(first_bytes.as_bytes()).await;
    #[allow(deprecated, reason = "the replacement needs a newer Tokio; a zero linger never blocks")]
    let _ = stream.set_linger(Some(Duration::ZERO));
    Ok(())
}

/// Joins and reads nothing. Closes the connection after 20 s, long after the server should have done so.
async fn read_nothing(progress: Arc<Progress>, address: SocketAddr, name: String) -> Result<()> {
    let socket = TcpSocket::new_v4().context("cannot create a socket")?;
    socket.set_recv_buffer_size(SMALL_BUFFER).context("cannot set a receive buffer")?;
    let stream = socket.connect(address).await.context("cannot connect")?;
    let peer = Peer::over(stream).log_in(&name).await?;
    for _ in 0..200 {
        if progress.is_over.load(Ordering::Relaxed) {
            break;
        }
        sleep(Duration::from_millis(100)).await;
    }
    drop(peer);
    Ok(())
}

/// Starts a client program, and kills it after a moment with SIGKILL, so that it cannot send `BYE`.
async fn start_and_kill(mut client: Command) -> Result<()> {
    client.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = client.spawn().context("cannot start a client")?;
    sleep(Duration::from_millis(700)).await;
    child.kill().context("cannot kill a client")?;
    child.wait().context("cannot wait for a client")?;
    Ok(())
}
