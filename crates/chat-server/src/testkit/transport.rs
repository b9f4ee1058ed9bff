//! A stream with faults that follow from a seed.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use super::Rng;

/// The most bytes of one read or write.
const MAX_PIECE_BYTES: usize = 4_096;

/// The faults of a [`Faulty`] stream.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
///
/// use chat_server::testkit::{Faults, Faulty, Rng};
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// let faults = Faults::none().slices(2).stalls(1, Duration::from_secs(1)).half_closes_after(4);
/// let (mut sender, stream) = tokio::io::duplex(64);
/// let mut receiver = Faulty::new(stream, faults, Rng::new(42));
/// sender.write_all(b"123456").await?;
/// let mut received = Vec::new();
/// receiver.read_to_end(&mut received).await?; // in pieces, late, and as if the sender had closed
/// assert_eq!(received, b"1234");
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Faults {
    slice: usize,
    stall_one_in: u64,
    stall: Duration,
    reset_after: Option<u64>,
    end_after: Option<u64>,
}

impl Faults {
    /// No faults.
    pub fn none() -> Self {
        Self { slice: usize::MAX, stall_one_in: 0, stall: Duration::ZERO, reset_after: None, end_after: None }
    }

    /// Every read and write moves 1 to `max_bytes` bytes.
    #[must_use]
    pub fn slices(self, max_bytes: usize) -> Self {
        Self { slice: max_bytes.max(1), ..self }
    }

    /// One in `one_in` reads and writes waits first, for up to `up_to`.
    #[must_use]
    pub fn stalls(self, one_in: u64, up_to: Duration) -> Self {
        Self { stall_one_in: one_in, stall: up_to, ..self }
    }

    /// After `bytes` bytes in both directions together, both fail with a reset, and the other end sees the stream
    /// close.
    #[must_use]
    pub fn resets_after(self, bytes: u64) -> Self {
        Self { reset_after: Some(bytes), ..self }
    }

    /// After `bytes` bytes read, the stream reads as if the peer had closed its sending side. Writing goes on.
    #[must_use]
    pub fn half_closes_after(self, bytes: u64) -> Self {
        Self { end_after: Some(bytes), ..self }
    }

    /// A random mixture of these faults, or none.
    pub fn seeded(rng: &mut Rng) -> Self {
        let mut faults = Self::none();
        if !rng.one_in(3) {
            faults = faults.slices(1 + rng.index(64));
        }
        if rng.one_in(2) {
            faults = faults.stalls(1 + rng.below(20), Duration::from_millis(1 + rng.below(500)));
        }
        if rng.one_in(4) {
            faults = faults.resets_after(rng.below(4_000));
        }
        if rng.one_in(6) {
            faults = faults.half_closes_after(rng.below(2_000));
        }
        faults
    }
}

/// A stream with [`Faults`]. Pass it to [`ChatServer::attach`](crate::ChatServer::attach), or use it as a client's end.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chat_server::{ChatServer, EndReason, Peer, testkit::{Faults, Faulty, Rng}};
/// use tokio::io::AsyncWriteExt;
///
/// let server = ChatServer::builder().build();
/// let (mut client, stream) = tokio::io::duplex(64);
/// let faults = Faults::none().slices(1).resets_after(4);
/// let mut connection = server.attach(Faulty::new(stream, faults, Rng::new(42)), Peer::labelled("faulty"));
/// client.write_all(b"hello\r\n").await?; // four bytes of it arrive
/// assert_eq!(connection.ended().await, EndReason::Transport(std::io::ErrorKind::ConnectionReset));
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Faulty<S> {
    /// `None` after a reset.
    inner: Option<S>,
    faults: Faults,
    rng: Rng,
    read: u64,
    written: u64,
    reading: Stalls,
    writing: Stalls,
    /// Wakes a pending read when a write causes the reset.
    reader: Option<Waker>,
}

impl<S> Faulty<S> {
    /// Adds these faults to a stream. The generator decides when they happen.
    pub fn new(inner: S, faults: Faults, rng: Rng) -> Self {
        let (reading, writing) = (Stalls::default(), Stalls::default());
        Self { inner: Some(inner), faults, rng, read: 0, written: 0, reading, writing, reader: None }
    }

    /// The most bytes that may move now. The error is the reset.
    fn allowance(&mut self) -> io::Result<usize> {
        let moved = self.read + self.written;
        let until_reset = self.faults.reset_after.map_or(u64::MAX, |limit| limit.saturating_sub(moved));
        if until_reset == 0 {
            self.inner = None;
            if let Some(reader) = self.reader.take() {
                reader.wake();
            }
        }
        if self.inner.is_none() {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let slice = match self.faults.slice {
            usize::MAX => MAX_PIECE_BYTES,
            slice => 1 + self.rng.index(slice.min(MAX_PIECE_BYTES)),
        };
        Ok(usize::try_from(until_reset).unwrap_or(usize::MAX).min(slice))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Faulty<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.reader = Some(cx.waker().clone());
        ready!(this.reading.poll(cx, &this.faults, &mut this.rng));
        let mut most = this.allowance()?.min(buffer.remaining());
        if let Some(end) = this.faults.end_after {
            most = most.min(usize::try_from(end.saturating_sub(this.read)).unwrap_or(usize::MAX));
        }
        let Some(inner) = this.inner.as_mut().filter(|_| most > 0) else { return Poll::Ready(Ok(())) };
        let mut piece = [0; MAX_PIECE_BYTES];
        let mut piece = ReadBuf::new(&mut piece[..most]);
        ready!(Pin::new(inner).poll_read(cx, &mut piece))?;
        buffer.put_slice(piece.filled());
        this.read += piece.filled().len() as u64;
        this.reading.moved();
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Faulty<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.writing.poll(cx, &this.faults, &mut this.rng));
        let most = this.allowance()?.min(bytes.len());
        let Some(inner) = &mut this.inner else { return Poll::Ready(Ok(0)) };
        let written = ready!(Pin::new(inner).poll_write(cx, &bytes[..most]))?;
        this.written += written as u64;
        this.writing.moved();
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().inner {
            Some(inner) => Pin::new(inner).poll_flush(cx),
            None => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().inner {
            Some(inner) => Pin::new(inner).poll_shutdown(cx),
            None => Poll::Ready(Ok(())),
        }
    }
}

/// The stalls of one direction.
#[derive(Debug, Default)]
struct Stalls {
    stall: Option<Pin<Box<Sleep>>>,
    /// Whether to stall was decided, and no bytes have moved since then.
    decided: bool,
}

impl Stalls {
    fn poll(&mut self, cx: &mut Context<'_>, faults: &Faults, rng: &mut Rng) -> Poll<()> {
        if !self.decided {
            self.decided = true;
            if faults.stall_one_in > 0 && rng.one_in(faults.stall_one_in) {
                let most = u64::try_from(faults.stall.as_micros()).unwrap_or(u64::MAX);
                self.stall = Some(Box::pin(sleep(Duration::from_micros(rng.below(most)))));
            }
        }
        if let Some(stall) = &mut self.stall {
            ready!(stall.as_mut().poll(cx));
            self.stall = None;
        }
        Poll::Ready(())
    }

    fn moved(&mut self) {
        self.decided = false;
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, duplex},
        time::Instant,
    };

    use super::*;

    async fn received(faults: Faults, seed: u64) -> (io::Result<usize>, Vec<u8>, Duration) {
        let (mut peer, stream) = duplex(1_000);
        peer.write_all(&[b'x'; 100]).await.unwrap();
        drop(peer);
        let start = Instant::now();
        let mut bytes = Vec::new();
        let end = Faulty::new(stream, faults, Rng::new(seed)).read_to_end(&mut bytes).await;
        (end, bytes, start.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn slices_and_stalls_keep_every_byte_and_follow_from_the_seed() {
        let faults = Faults::none().slices(3).stalls(2, Duration::from_secs(1));
        let (end, bytes, took) = received(faults, 7).await;
        assert_eq!((end.unwrap(), bytes), (100, vec![b'x'; 100]));
        assert!(took > Duration::from_secs(5), "{took:?}");
        assert_eq!(received(faults, 7).await.2, took);
        assert_ne!(received(faults, 8).await.2, took);
    }

    #[tokio::test(start_paused = true)]
    async fn a_half_close_comes_early_and_a_reset_is_an_error() {
        let (end, bytes, _) = received(Faults::none().half_closes_after(40), 1).await;
        assert_eq!((end.unwrap(), bytes.len()), (40, 40));
        let (end, bytes, _) = received(Faults::none().resets_after(40), 1).await;
        assert_eq!((end.unwrap_err().kind(), bytes.len()), (io::ErrorKind::ConnectionReset, 40));
    }

    #[tokio::test(start_paused = true)]
    async fn a_reset_reaches_both_ends() {
        let (mut peer, stream) = duplex(1_000);
        let (mut reader, mut writer) =
            tokio::io::split(Faulty::new(stream, Faults::none().resets_after(5), Rng::new(1)));
        let reading = tokio::spawn(async move { reader.read_u8().await });
        tokio::task::yield_now().await;
        assert!(writer.write_all(b"123456").await.is_err());
        assert_eq!(reading.await.unwrap().unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        let mut bytes = Vec::new();
        peer.read_to_end(&mut bytes).await.unwrap();
        assert_eq!(bytes, b"12345");
    }
}
