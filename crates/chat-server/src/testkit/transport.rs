//! A stream in which things go wrong, by the numbers of a seed.

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

/// The largest piece that is read at once.
const PIECE: usize = 4_096;

/// What goes wrong in a [`Faulty`] stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Faults {
    slice: usize,
    stall_one_in: u64,
    stall: Duration,
    reset_after: Option<u64>,
    end_after: Option<u64>,
}

impl Faults {
    /// Nothing.
    pub fn none() -> Self {
        Self { slice: usize::MAX, stall_one_in: 0, stall: Duration::ZERO, reset_after: None, end_after: None }
    }

    /// Every read and write moves 1 to so many octets.
    #[must_use]
    pub fn slices(self, octets: usize) -> Self {
        Self { slice: octets.max(1), ..self }
    }

    /// One read or write in so many waits first, for up to so long.
    #[must_use]
    pub fn stalls(self, one_in: u64, up_to: Duration) -> Self {
        Self { stall_one_in: one_in, stall: up_to, ..self }
    }

    /// After so many octets, to and fro, both directions fail with a reset and the other end sees the stream close.
    #[must_use]
    pub fn resets_after(self, octets: u64) -> Self {
        Self { reset_after: Some(octets), ..self }
    }

    /// After so many octets read, the stream reads as if the peer had closed its sending side. Writing goes on.
    #[must_use]
    pub fn half_closes_after(self, octets: u64) -> Self {
        Self { end_after: Some(octets), ..self }
    }

    /// A mixture of all of these, or none, as the generator has it.
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

/// A stream in which go wrong the things that its [`Faults`] say. Hand it to
/// [`ChatServer::attach`](crate::ChatServer::attach), or use it as a client's end.
#[derive(Debug)]
pub struct Faulty<S> {
    /// `None` after a reset.
    inner: Option<S>,
    faults: Faults,
    rng: Rng,
    read: u64,
    written: u64,
    reading: Pace,
    writing: Pace,
    /// Who waits to read must hear of a reset that writing brings about.
    reader: Option<Waker>,
}

impl<S> Faulty<S> {
    /// A stream with these faults, at moments that follow from the generator.
    pub fn new(inner: S, faults: Faults, rng: Rng) -> Self {
        let (reading, writing) = (Pace::default(), Pace::default());
        Self { inner: Some(inner), faults, rng, read: 0, written: 0, reading, writing, reader: None }
    }

    /// How much may move now; an error if nothing ever will.
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
            usize::MAX => PIECE,
            slice => 1 + self.rng.index(slice.min(PIECE)),
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
        let mut piece = [0; PIECE];
        let mut piece = ReadBuf::new(&mut piece[..most]);
        ready!(Pin::new(inner).poll_read(cx, &mut piece))?;
        buffer.put_slice(piece.filled());
        this.read += piece.filled().len() as u64;
        this.reading.moved();
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Faulty<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.writing.poll(cx, &this.faults, &mut this.rng));
        let most = this.allowance()?.min(octets.len());
        let Some(inner) = &mut this.inner else { return Poll::Ready(Ok(0)) };
        let written = ready!(Pin::new(inner).poll_write(cx, &octets[..most]))?;
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

/// Whether one direction stands still.
#[derive(Debug, Default)]
struct Pace {
    stall: Option<Pin<Box<Sleep>>>,
    /// It was decided already, and the octets have not moved since.
    decided: bool,
}

impl Pace {
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
        let mut octets = Vec::new();
        let end = Faulty::new(stream, faults, Rng::new(seed)).read_to_end(&mut octets).await;
        (end, octets, start.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn slices_and_stalls_keep_every_byte_and_follow_from_the_seed() {
        let faults = Faults::none().slices(3).stalls(2, Duration::from_secs(1));
        let (end, octets, took) = received(faults, 7).await;
        assert_eq!((end.unwrap(), octets), (100, vec![b'x'; 100]));
        assert!(took > Duration::from_secs(5), "{took:?}");
        assert_eq!(received(faults, 7).await.2, took);
        assert_ne!(received(faults, 8).await.2, took);
    }

    #[tokio::test(start_paused = true)]
    async fn a_half_close_comes_early_and_a_reset_is_an_error() {
        let (end, octets, _) = received(Faults::none().half_closes_after(40), 1).await;
        assert_eq!((end.unwrap(), octets.len()), (40, 40));
        let (end, octets, _) = received(Faults::none().resets_after(40), 1).await;
        assert_eq!((end.unwrap_err().kind(), octets.len()), (io::ErrorKind::ConnectionReset, 40));
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
        let mut octets = Vec::new();
        peer.read_to_end(&mut octets).await.unwrap();
        assert_eq!(octets, b"12345");
    }
}
