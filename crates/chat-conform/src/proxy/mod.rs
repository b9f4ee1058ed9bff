//! A proxy between clients and a server. It annotates each line with its clause, and can split or delay bytes. It never
//! changes them.

mod pump;
mod recorder;

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

use self::pump::{PumpEvent, pump};
pub use self::recorder::Recorder;
pub use crate::annotate::{Annotator, Note};
use crate::transcript::shortened;

/// How the proxy forwards bytes, to simulate a bad network.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Shape {
    /// The most bytes in one write. `None`: no limit.
    pub split: Option<usize>,
    /// How long to wait before forwarding what was read.
    pub delay: Duration,
    /// How long to collect bytes before forwarding them together.
    pub coalesce: Duration,
}

impl Shape {
    /// Forwards at most `split` bytes in a write, after collecting bytes for `coalesce` and waiting for `delay`.
    pub fn new(split: Option<usize>, delay: Duration, coalesce: Duration) -> Self {
        Self { split, delay, coalesce }
    }
}

/// Receives what the proxy sees.
pub trait Observer: Send {
    /// Shows a line to the user.
    fn print(&mut self, line: &str);
    /// Saves a step of a case.
    fn save(&mut self, step: &str);
}

/// Connects each client of `listener` to the server at `to`. Returns after `connections` connections. With `None` it
/// never returns.
///
/// A failed `accept` or connection to the server is printed and does not end the proxy.
pub async fn run<O: Observer + 'static>(
    listener: TcpListener,
    to: &str,
    shape: Shape,
    connections: Option<usize>,
    observer: O,
) -> io::Result<()> {
    const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
    let observer = Arc::new(Mutex::new((observer, Recorder::default())));
    let mut running = JoinSet::new();
    for number in 0.. {
        if connections.is_some_and(|max| number >= max) {
            break;
        }
        let (client, from) = accept(&listener, &observer).await;
        let who = char::from(b'A' + u8::try_from(number % 26).unwrap_or_default());
        let server = timeout(CONNECT_TIMEOUT, TcpStream::connect(to))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let server = match server {
            Ok(server) => server,
            Err(error) => {
                print(&observer, &format!("{who}  {from} is disconnected: cannot connect to {to}: {error}"));
                continue;
            }
        };
        print(&observer, &format!("{who}  {from} connects"));
        running.spawn(serve(who, client, server, shape, Arc::clone(&observer)));
        while running.try_join_next().is_some() {}
    }
    while running.join_next().await.is_some() {}
    Ok(())
}

/// Accepts the next client. Prints an error, such as too many open files, and tries again.
async fn accept<O: Observer>(listener: &TcpListener, observer: &Shared<O>) -> (TcpStream, SocketAddr) {
    const RETRY_DELAY: Duration = Duration::from_millis(100);
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => print(observer, &format!("   cannot accept a client: {error}")),
        }
        sleep(RETRY_DELAY).await;
    }
}

/// The observer and the recorder, which all connections share.
type Shared<O> = Arc<Mutex<(O, Recorder)>>;

fn print<O: Observer>(observer: &Shared<O>, line: &str) {
    observer.lock().unwrap_or_else(PoisonError::into_inner).0.print(line);
}

/// Forwards both directions of one connection to their end.
async fn serve<O: Observer>(who: char, client: TcpStream, server: TcpStream, shape: Shape, observer: Shared<O>) {
    // Nagle's algorithm would merge what `split` separates.
    if client.set_nodelay(true).and_then(|()| server.set_nodelay(true)).is_err() {
        return;
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let annotator = Mutex::new(Annotator::default());
    let on_event = |from_client: bool, event: PumpEvent<'_>| {
        let mut annotator = annotator.lock().unwrap_or_else(PoisonError::into_inner);
        let mut observer = observer.lock().unwrap_or_else(PoisonError::into_inner);
        let (observer, recorder) = &mut *observer;
        let sign = if from_client { '>' } else { '<' };
        match event {
            PumpEvent::Read(bytes) if from_client => annotator.client_bytes(bytes),
            PumpEvent::Read(_) => {}
            // The reply may come before the end of the line. So the line is shown and saved now, before its reply.
            PumpEvent::Unfinished(_) if !from_client || !annotator.is_refused_early() => return false,
            PumpEvent::Line(bytes) | PumpEvent::Unfinished(bytes) => {
                let note = if from_client { annotator.note_of(bytes) } else { annotator.server_line(bytes) };
                let mark = if note.wrong { '!' } else { ' ' };
                observer.print(&format!(
                    "{mark} {who}{sign} {:<48} {:<4} {}",
                    shortened(bytes),
                    note.clause,
                    note.what
                ));
                recorder.step(who, from_client, bytes, &annotator).into_iter().for_each(|step| observer.save(&step));
            }
            PumpEvent::Closed => {
                if from_client {
                    annotator.client_closed();
                }
                observer.print(&format!("  {who}{sign} ({} closes)", if from_client { "client" } else { "server" }));
                observer.save(&format!("{who}{sign}EOF"));
            }
        }
        true
    };
    tokio::join!(
        pump(from_client, to_server, shape, |event| on_event(true, event)),
        pump(from_server, to_client, shape, |event| on_event(false, event)),
    );
}
