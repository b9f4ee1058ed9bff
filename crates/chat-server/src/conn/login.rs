//! From the first line to a member: sections 2 and 3 up to `WELCOME`.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::Poll,
    time::Duration,
};

use chat_proto::{ClientMessage, MAX_NAME_FAILURES, Name, Refusal, ServerMessage, Session};
use chat_room::{JoinAs, encode};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};
use tracing::debug;

use super::{
    Client, cut,
    deadline::within,
    line_reader::{Line, LineReader, end_reason},
    write_timeout::{close, write},
};
use crate::{
    hub::{JoinError, Joined, Membership},
    member::Identity,
    options::PlainSessions,
    policy::{Admission, Login},
    reason::EndReason,
};

/// How often to look whether the rate limit still makes a login wait that has exceeded its time.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A client that has joined. Boxed, so that the tasks that pass it on stay small.
#[derive(Debug)]
pub(super) struct LoggedIn {
    pub(super) joined: Joined,
    pub(super) membership: Membership,
    /// The first line of a plain session, which may be a message (clause 2.3).
    pub(super) first: Option<Line>,
}

/// Logs a connection in, or returns why it ended. All replies before the join are written here; `NAME OK` and `WELCOME`
/// stand in the ring, at the position of the `JOIN`.
pub(super) async fn log_in<R, W>(
    client: &Client<'_>,
    lines: &mut LineReader<R>,
    writer: &mut W,
) -> Result<Box<LoggedIn>, EndReason>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let shared = client.shared;
    let progress = Progress::default();
    let mut login = LoggingIn { client, lines, writer, failures: 0, progress: &progress };
    let interrupted = {
        let mut run = pin!(login.run());
        let interrupted = tokio::select! {
            // Not by chance: the same input leads to the same end.
            biased;
            reason = cut(shared, client.identity) => reason,
            member = progress.within(shared.options.login_timeout, run.as_mut()) => match member {
                Some(member) => return member,
                None => EndReason::LoginTimeout,
            },
            () = shared.stop.cancelled() => EndReason::ServerStopped,
            reason = client.identity.ordered() => reason,
        };
        // If the hub is about to answer, the connection may have joined: then it ends as a member.
        let answered = poll_fn(|cx| match run.as_mut().poll(cx) {
            Poll::Ready(member) => Poll::Ready(Some(member)),
            Poll::Pending if progress.is_joining.load(Ordering::Relaxed) => Poll::Pending,
            Poll::Pending => Poll::Ready(None),
        });
        if progress.is_joining.load(Ordering::Relaxed)
            && let Some(answer) = answered.await
        {
            return answer;
        }
        interrupted
    };
    if !interrupted.has_last_line() {
        return Err(interrupted);
    }
    tokio::select! {
        biased;
        reason = cut(shared, client.identity) => Err(reason),
        ended = login.end(&[ServerMessage::Bye], interrupted) => ended,
    }
}

/// What a login waits for, and has waited for: seen from outside while it runs.
#[derive(Default)]
struct Progress {
    /// The hub's answer is awaited.
    is_joining: AtomicBool,
    /// A turn is awaited, because of the rate limit.
    is_limited: AtomicBool,
    /// The time spent waiting for turns, in milliseconds.
    limited_millis: AtomicU64,
}

impl Progress {
    /// Runs a login with a time limit. Time that the rate limit takes does not count against the client. `None`: it took too
    /// long.
    async fn within<T>(&self, limit: Option<Duration>, mut run: Pin<&mut impl Future<Output = T>>) -> Option<T> {
        let (mut limit, mut credited) = (limit, 0);
        loop {
            if let Some(done) = within(limit, run.as_mut()).await {
                return Some(done);
            }
            let limited = self.limited_millis.load(Ordering::Relaxed);
            limit = if self.is_limited.load(Ordering::Relaxed) {
                Some(LOOK_AGAIN)
            } else if limited > credited {
                Some(Duration::from_millis(limited - credited))
            } else {
                return None;
            };
            credited = limited;
        }
    }
}

struct LoggingIn<'a, R, W> {
    client: &'a Client<'a>,
    lines: &'a mut LineReader<R>,
    writer: &'a mut W,
    failures: u32,
    progress: &'a Progress,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> LoggingIn<'_, R, W> {
    async fn run(&mut self) -> Result<Box<LoggedIn>, EndReason> {
        loop {
            let line = match self.lines.next().await {
                Ok(Some(line)) => line,
                Ok(None) => return Err(EndReason::Closed),
                Err(error) => return Err(end_reason(&error)),
            };
            self.count(&line).await?;
            match line {
                Ok(ClientMessage::ConnectNew) => self.say(&[ServerMessage::NameReq]).await?,
                Ok(ClientMessage::ConnectUser(name) | ClientMessage::Name(name)) => {
                    if let Some(member) = self.named(name).await? {
                        return Ok(member);
                    }
                }
                Ok(first) if self.lines.codec().session() == Some(Session::Plain) => return self.plain(first).await,
                Ok(_) => return self.end(&[ServerMessage::BadReq], EndReason::NoName).await,
                Err(error) => match error.refusal() {
                    Refusal::NameFailure => self.refuse_name().await?,
                    refusal => return self.end(&[refusal.into()], EndReason::NoLogin(error.fault())).await,
                },
            }
        }
    }

    /// Counts a line. If it exceeds the rate limit, waits for its turn, and notices the end of the connection
    /// meanwhile.
    async fn count(&mut self, line: &Line) -> Result<(), EndReason> {
        // A join counts as a line too: all members are told.
        let joins = match line {
            Ok(ClientMessage::ConnectUser(_) | ClientMessage::Name(_)) => true,
            line => line.is_ok() && self.lines.codec().session() == Some(Session::Plain),
        };
        let units = if joins { 2 } else { 1 };
        let Some(limit) = self.client.lines.filter(|limit| !limit.count(units)) else { return Ok(()) };
        let start = Instant::now();
        self.progress.is_limited.store(true, Ordering::Relaxed);
        let mut turn = pin!(limit.wait(units));
        loop {
            tokio::select! {
                biased;
                read = self.lines.read(), if self.lines.can_read_ahead() => read.map_err(|error| end_reason(&error))?,
                () = &mut turn => break,
            }
        }
        let millis = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.progress.limited_millis.fetch_add(millis, Ordering::Relaxed);
        self.progress.is_limited.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// `None`: the name is refused.
    async fn named(&mut self, name: Name) -> Result<Option<Box<LoggedIn>>, EndReason> {
        match self.admit(Some(name)).await? {
            Admission::Admit => {}
            Admission::RefuseName => return self.refuse_name().await.map(|()| None),
            Admission::Close => return self.end(&[ServerMessage::Bye], EndReason::Policy).await,
        }
        match self.join(JoinAs::Name(name)).await {
            Ok((joined, membership)) => Ok(Some(Box::new(LoggedIn { joined, membership, first: None }))),
            Err(JoinError::NameTaken) => self.refuse_name().await.map(|()| None),
            Err(JoinError::Stopped) => self.end(&[ServerMessage::Bye], EndReason::ServerStopped).await,
        }
    }

    async fn plain(&mut self, first: ClientMessage) -> Result<Box<LoggedIn>, EndReason> {
        if self.client.shared.options.plain_sessions == PlainSessions::Refuse {
            return self.end(&[ServerMessage::BadProt], EndReason::PlainRefused).await;
        }
        if self.admit(None).await? != Admission::Admit {
            return self.end(&[ServerMessage::Bye], EndReason::Policy).await;
        }
        match self.join(JoinAs::Guest).await {
            Ok((joined, membership)) => Ok(Box::new(LoggedIn { joined, membership, first: Some(Ok(first)) })),
            Err(_) => self.end(&[ServerMessage::Bye], EndReason::ServerStopped).await,
        }
    }

    /// Asks the policy. Notices the end of the connection meanwhile.
    async fn admit(&mut self, name: Option<Name>) -> Result<Admission, EndReason> {
        let Client { shared, identity, .. } = self.client;
        let mut admitting = pin!(shared.policy.admit(Login::new(Arc::clone(identity), name, None)));
        loop {
            tokio::select! {
                biased;
                admission = &mut admitting => return Ok(admission?),
                read = self.lines.read(), if self.lines.can_read_ahead() => read.map_err(|error| end_reason(&error))?,
            }
        }
    }

    async fn join(&mut self, join_as: JoinAs) -> Result<(Joined, Membership), JoinError> {
        self.progress.is_joining.store(true, Ordering::Relaxed);
        let answer = self.client.shared.hub.join(self.client.identity, join_as).await;
        self.progress.is_joining.store(false, Ordering::Relaxed);
        answer
    }

    /// Clause 3.3.
    async fn refuse_name(&mut self) -> Result<(), EndReason> {
        self.failures += 1;
        let Identity { id, peer, .. } = &**self.client.identity;
        debug!(conn = id.number(), %peer, failures = self.failures, "name refused");
        if self.failures < MAX_NAME_FAILURES {
            self.say(&[ServerMessage::NameFailure, ServerMessage::NameReq]).await
        } else {
            self.end(&[ServerMessage::NameFailure], EndReason::NameFailures).await
        }
    }

    /// Writes last messages, and shuts the sending side down.
    async fn end<T>(&mut self, messages: &[ServerMessage], reason: EndReason) -> Result<T, EndReason> {
        self.say(messages).await?;
        close(self.writer, self.client.shared.options.write_timeout).await;
        Err(reason)
    }

    async fn say(&mut self, messages: &[ServerMessage]) -> Result<(), EndReason> {
        let mut bytes = encode(messages, self.lines.codec().terminator());
        write(self.writer, &mut bytes, self.client.shared.options.write_timeout).await
    }
}
