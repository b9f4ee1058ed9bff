//! Acknowledgement is evidence, not a clock: properties over delays, losses and late answers, on paused time.

use std::time::Duration;

use chat_client::{CloseError, CloseReason, KEEPALIVE_INTERVAL, LEAVE_TIMEOUT, Login, SendError};
use proptest::{collection::vec, prelude::*};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream},
    time::{Instant, sleep},
};

/// What the server does with the next line of the client.
#[derive(Clone, Copy, Debug)]
struct Turn {
    /// It does nothing for this long, as if it was suspended.
    pause: Duration,
    /// It refuses the message.
    refuses: bool,
}

/// A server that answers in order, each line in its turn.
#[derive(Clone, Debug)]
struct Plan {
    as_guest: bool,
    turns: Vec<Turn>,
    /// Number of messages before the first one that it answers. It answers each `PING`.
    omitted: usize,
    /// Number of lines after which the connection is lost.
    lost_after: Option<usize>,
    /// Number of lines after which it does nothing any more.
    silent_after: Option<usize>,
    /// Time between two messages of the client.
    between: Duration,
}

/// What a server has sent.
#[derive(Default)]
struct Sent {
    /// The answers to messages, and when.
    answers: Vec<(Instant, Result<(), SendError>)>,
    /// When it sent any line.
    lines: Vec<Instant>,
}

async fn serve(stream: DuplexStream, plan: Plan) -> Sent {
    let (mut stream, mut sent, mut line) = (BufReader::new(stream), Sent::default(), String::new());
    let mut turns = plan.turns.iter().cycle();
    let mut messages = 0;
    for number in 0.. {
        line.clear();
        if plan.lost_after == Some(number) || !matches!(stream.read_line(&mut line).await, Ok(1..)) {
            break;
        }
        if plan.silent_after.is_some_and(|limit| number >= limit) {
            continue;
        }
        let turn = turns.next().expect("it is not empty");
        let reply = match line.trim_end() {
            "" => continue,
            "PING" => "PONG\r\n",
            "BYE" => "BYE\r\n",
            hello if hello.starts_with("PROT ") => "NAME OK\r\nWELCOME\r\n",
            _ if messages < plan.omitted => {
                messages += 1;
                continue;
            }
            _ => {
                sleep(turn.pause).await;
                let answer = if turn.refuses { Err(SendError::Refused) } else { Ok(()) };
                sent.answers.push((Instant::now(), answer.clone()));
                if answer.is_ok() { "OK\r\n" } else { "BAD REQ\r\n" }
            }
        };
        sent.lines.push(Instant::now());
        if stream.write_all(reply.as_bytes()).await.is_err() {
            break;
        }
    }
    sent
}

fn run(plan: Plan, messages: usize) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let (as_guest, between, omitted) = (plan.as_guest, plan.between, plan.omitted);
        let fails = plan.lost_after.is_some() || plan.silent_after.is_some();
        let server = tokio::spawn(serve(theirs, plan));
        let login = Login::over(ours);
        let (client, mut events) = if as_guest {
            login.as_guest()
        } else {
            let Ok(session) = login.log_in("bob".parse().unwrap()).await else { return Ok(()) };
            session
        };
        let opened_at = Instant::now();
        let listening = tokio::spawn(async move {
            while events.next().await.is_some() {}
            Instant::now()
        });
        let mut receipts = Vec::new();
        for number in 0..messages {
            sleep(between).await;
            if let Ok(receipt) = client.queue(number.to_string().parse().unwrap()).await {
                receipts.push(receipt);
            }
        }
        let leaving = Instant::now();
        let report = client.close().await.unwrap_or_else(CloseError::into_report);
        let ended_at = listening.await.unwrap();
        let mut answers = Vec::new();
        for receipt in receipts {
            answers.push(receipt.await);
        }
        drop(client);
        let sent = server.await.unwrap();

        // Bounds: each line of the server extends the session, and each answer the time to leave.
        let last_before_end = |times: &mut dyn Iterator<Item = Instant>| times.filter(|at| *at < ended_at).max();
        let last_line = last_before_end(&mut sent.lines.iter().copied()).unwrap_or(opened_at);
        let last_answer = last_before_end(&mut sent.answers.iter().map(|(at, _)| *at)).unwrap_or(opened_at);
        prop_assert!(as_guest || ended_at <= last_line + 2 * KEEPALIVE_INTERVAL, "{:?}", report);
        prop_assert!(ended_at <= leaving.max(last_answer) + LEAVE_TIMEOUT, "{:?}", report);
        // What was answered while the session lasted has its answer, and it is the right one.
        let came = sent.answers.iter().filter(|(at, _)| *at < ended_at).count();
        let skipped = omitted.min(answers.len());
        let (omitted, answered) = answers.split_at(skipped);
        for (answer, (_, expected)) in answered.iter().zip(&sent.answers).take(came) {
            prop_assert_eq!(answer, expected, "{:?} {:?}", sent.answers, answers);
        }
        prop_assert!(omitted.iter().all(|answer| *answer != Err(SendError::Refused)), "{:?}", omitted);
        // Nothing else is acknowledged, and nothing is unknown unless the server failed.
        prop_assert!(answered.iter().skip(sent.answers.len()).all(Result::is_err), "{:?} {:?}", sent.answers, answers);
        let unknown = answers.iter().filter(|answer| **answer == Err(SendError::Unknown)).count();
        prop_assert_eq!(report.unknown, unknown as u64);
        if report.reason == CloseReason::Left && !fails {
            prop_assert_eq!(unknown, 0);
        }
        Ok(())
    })
}

fn turns(longest_pause: u64) -> impl Strategy<Value = Vec<Turn>> {
    let turn = (0..=longest_pause, prop::bool::weighted(0.2));
    vec(turn.prop_map(|(pause, refuses)| Turn { pause: Duration::from_millis(pause), refuses }), 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// A server that answers in order, slowly, and may vanish or fall silent.
    #[test]
    fn a_message_whose_answer_came_is_never_unknown(
        as_guest: bool,
        turns in turns(100_000),
        lost_after in prop::option::weighted(0.3, 1_usize..15),
        silent_after in prop::option::weighted(0.3, 1_usize..15),
        between in 0_u64..50_000,
        messages in 0_usize..12,
    ) {
        let between = Duration::from_millis(between);
        run(Plan { as_guest, turns, omitted: 0, lost_after, silent_after, between }, messages)?;
    }

    /// A server that sends no `OK` at first, answers `PING`, and then sends `OK`: the habit is unlearnt.
    #[test]
    fn a_habit_is_unlearnt(
        turns in turns(5_000),
        omitted in 1_usize..6,
        between in 4_000_u64..20_000,
        messages in 0_usize..12,
    ) {
        let between = Duration::from_millis(between);
        run(Plan { as_guest: false, turns, omitted, lost_after: None, silent_after: None, between }, messages)?;
    }
}
