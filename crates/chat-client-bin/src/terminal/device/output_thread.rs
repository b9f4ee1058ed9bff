//! Writes to the terminal on a thread of its own, because a terminal may stop reading.

use std::{
    io::{self, Write},
    thread,
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

/// Time to wait until the terminal has taken a frame.
const WRITE_TIMEOUT: Duration = Duration::from_secs(1);

/// Permission to write one more frame.
#[derive(Debug)]
pub(crate) struct FramePermit(mpsc::OwnedPermit<Frame>);

/// What is written as a whole.
#[derive(Debug)]
struct Frame {
    text: String,
    /// Is told when the frame is written.
    written: Option<oneshot::Sender<()>>,
}

/// The thread that writes frames. One frame may wait while another is written.
#[derive(Debug)]
pub(crate) struct OutputThread(mpsc::Sender<Frame>);

impl OutputThread {
    pub(crate) fn start() -> io::Result<Self> {
        let (frames, receiver) = mpsc::channel(1);
        thread::Builder::new().name("output".to_owned()).spawn(move || write(receiver))?;
        Ok(Self(frames))
    }

    /// Waits until a frame can be queued. Never returns if the terminal is gone. Cancel safe.
    pub(crate) async fn ready(&self) -> FramePermit {
        match self.0.clone().reserve_owned().await {
            Ok(permit) => FramePermit(permit),
            Err(_) => std::future::pending().await,
        }
    }

    /// Waits until the terminal has taken this frame, for at most one second.
    pub(crate) async fn write(&self, text: String) {
        let (written, is_written) = oneshot::channel();
        let write = async {
            // Fails if the terminal is gone.
            if self.0.send(Frame { text, written: Some(written) }).await.is_ok() {
                let _ = is_written.await;
            }
        };
        let _ = timeout(WRITE_TIMEOUT, write).await;
    }
}

impl FramePermit {
    /// Queues the frame.
    pub(crate) fn write(self, text: String) {
        self.0.send(Frame { text, written: None });
    }
}

fn write(mut frames: mpsc::Receiver<Frame>) {
    let mut terminal = io::stdout();
    while let Some(frame) = frames.blocking_recv() {
        // Fails if the terminal is gone: nobody sees the output.
        if terminal.write_all(frame.text.as_bytes()).and_then(|()| terminal.flush()).is_err() {
            return;
        }
        if let Some(written) = frame.written {
            // Fails if nobody waits any more.
            let _ = written.send(());
        }
    }
}
