//! Stands between clients and a server: tells what each line is and which clause it breaks, and changes only its pace.

mod note;
mod pump;
mod saved;

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};

use self::pump::{Heard, pump};
pub use self::{
    note::{Note, Notes},
    saved::Saved,
};
use crate::transcript::shortened;

/// What is done to the bytes on their way.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Shape {
    /// They go in pieces of so many.
    pub split: Option<usize>,
    /// Each piece goes so much later.
    pub delay: Duration,
    /// They are gathered for so long, and go as one.
    pub coalesce: Duration,
}

impl Shape {
    /// In pieces of `split`, `delay` later, gathered for `coalesce`.
    pub fn new(split: Option<usize>, delay: Duration, coalesce: Duration) -> Self {
        Self { split, delay, coalesce }
    }
}

/// What is told of a line, and kept of a dialogue.
pub trait Listener: Send {
    /// A line for the eyes.
    fn tell(&mut self, line: &str);
    /// A step of the dialogue.
    fn keep(&mut self, step: &str);
}

/// Serves clients of `listener` with the server at `to`, for ever or for so many connections.
pub async fn run<L: Listener + 'static>(
    listener: TcpListener,
    to: &str,
    shape: Shape,
    connections: Option<usize>,
    hearer: L,
) -> io::Result<()> {
    const TO_CONNECT: Duration = Duration::from_secs(5);
    let hearer = Arc::new(Mutex::new((hearer, Saved::default())));
    let mut running = JoinSet::new();
    for number in 0.. {
        if connections.is_some_and(|most| number >= most) {
            break;
        }
        let (client, from) = accept(&listener, &hearer).await;
        let who = char::from(b'A' + u8::try_from(number % 26).unwrap_or_default());
        let server =
            timeout(TO_CONNECT, TcpStream::connect(to)).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let server = match server {
            Ok(server) => server,
            Err(error) => {
                tell(&hearer, &format!("{who}  {from} is turned away: no connection to {to}: {error}"));
                continue;
            }
        };
        tell(&hearer, &format!("{who}  {from} connects"));
        running.spawn(serve(who, client, server, shape, Arc::clone(&hearer)));
        while running.try_join_next().is_some() {}
    }
    while running.join_next().await.is_some() {}
    Ok(())
}

/// The next client. A failed attempt, such as one for want of descriptors, is told and tried again.
async fn accept<L: Listener>(listener: &TcpListener, hearer: &Shared<L>) -> (TcpStream, SocketAddr) {
    const REST: Duration = Duration::from_millis(100);
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => tell(hearer, &format!("   a client cannot be accepted: {error}")),
        }
        sleep(REST).await;
    }
}

type Shared<L> = Arc<Mutex<(L, Saved)>>;

fn tell<L: Listener>(hearer: &Shared<L>, line: &str) {
    hearer.lock().unwrap_or_else(PoisonError::into_inner).0.tell(line);
}

async fn serve<L: Listener>(who: char, client: TcpStream, server: TcpStream, shape: Shape, hearer: Shared<L>) {
    // What is split shall stay split.
    if client.set_nodelay(true).and_then(|()| server.set_nodelay(true)).is_err() {
        return;
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let notes = Mutex::new(Notes::default());
    let hear = |sends: bool, heard: Heard<'_>| {
        let mut notes = notes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut hearer = hearer.lock().unwrap_or_else(PoisonError::into_inner);
        let (out, saved) = &mut *hearer;
        let sign = if sends { '>' } else { '<' };
        match heard {
            Heard::Line(bytes) => {
                let note = if sends { notes.client(bytes) } else { notes.server(bytes) };
                let mark = if note.wrong { '!' } else { ' ' };
                out.tell(&format!("{mark} {who}{sign} {:<48} {:<4} {}", shortened(bytes), note.clause, note.what));
                saved.line(who, sends, bytes, &notes).into_iter().for_each(|step| out.keep(&step));
            }
            Heard::End => {
                out.tell(&format!("  {who}{sign} ({} closes)", if sends { "client" } else { "server" }));
                out.keep(&format!("{who}{sign}EOF"));
            }
        }
    };
    tokio::join!(
        pump(from_client, to_server, shape, |heard| hear(true, heard)),
        pump(from_server, to_client, shape, |heard| hear(false, heard)),
    );
}
