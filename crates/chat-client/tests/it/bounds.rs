//! Every session ends within its stated bounds, on paused time.

use std::time::Duration;

use chat_client::{
    ChatClient, CloseReason, Event, KEEPALIVE_INTERVAL, LEAVE_TIMEOUT, LOGIN_TIMEOUT, Login, LoginError,
    MAX_OUTSTANDING, MAX_QUEUED, SendError,
};
use futures::FutureExt;
use tokio::time::{Instant, sleep};

use crate::{
    scripted_server::{Server, within_minutes},
    sessions::{bob, guest, next},
};

#[tokio::test(start_paused = true)]
async fn a_login_ends() {
    let (_server, stream) = Server::in_memory();
    let start = Instant::now();
    let error = within_minutes(Login::over(stream).log_in("bob".parse().unwrap())).await.unwrap_err();
    assert!(matches!(error, LoginError::TimedOut), "{error}");
    assert_eq!(start.elapsed(), LOGIN_TIMEOUT);
}

/// Lines that do not answer the login, such as `PING`, do not extend it.
#[tokio::test(start_paused = true)]
async fn a_login_ends_although_the_server_is_busy() {
    let (mut server, stream) = Server::in_memory();
    let chatter = async {
        loop {
            sleep(Duration::from_secs(1)).await;
            server.send_lines("PING").await;
        }
    };
    tokio::select! {
        error = Login::over(stream).log_in("bob".parse().unwrap()) => {
            assert!(matches!(error, Err(LoginError::TimedOut)), "{error:?}");
        }
        () = chatter => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_name_leaves_time_for_another_login() {
    let (mut server, stream) = Server::in_memory();
    let login = Login::over(stream).log_in("bob".parse().unwrap());
    let refuse = async {
        server.expect("PROT 0.1 CONNECT USER bob").await;
        server.send_lines("NAME FAILURE\nNAME REQ").await;
    };
    let (refused, ()) = tokio::join!(login, refuse);
    let Err(LoginError::NameRefused { retry, .. }) = refused else { panic!("{refused:?}") };
    sleep(LOGIN_TIMEOUT).await;
    let accept = async {
        server.expect("NAME al").await;
        server.send_lines("NAME OK\nWELCOME").await;
    };
    let (session, ()) = tokio::join!(retry.log_in("al".parse().unwrap()), accept);
    session.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_ends_the_session() {
    let (mut server, client, mut events) = bob().await;
    let start = Instant::now();
    assert_eq!(within_minutes(client.send("a".parse().unwrap())).await, Err(SendError::Unknown));
    assert_eq!(start.elapsed(), 2 * KEEPALIVE_INTERVAL);
    assert_eq!(next(&mut events).await, Event::unknown("a".parse().unwrap()));
    assert_eq!(next(&mut events).await, Event::Closed(CloseReason::Silent));
    // One asks for the answer to the message, one for a sign of life.
    server.expect("MSG a\nPING\nPING").await;
    server.expect_end().await;
}

#[tokio::test(start_paused = true)]
async fn any_line_is_a_sign_of_life() {
    let (mut server, client, _events) = bob().await;
    for _ in 0..10 {
        sleep(KEEPALIVE_INTERVAL.mul_f64(0.99)).await;
        server.send_lines("JOIN al").await;
    }
    server.send_lines("PING").await;
    // No PING of the client before.
    server.expect("PONG").await;
    sleep(KEEPALIVE_INTERVAL).await;
    server.expect("PING").await;
    server.send_lines("PONG").await;
    sleep(KEEPALIVE_INTERVAL).await;
    assert!(client.closed().now_or_never().is_none(), "it lasts");
}

#[tokio::test(start_paused = true)]
async fn a_session_without_keepalive_lasts() {
    for keepalive in [None, Some(Duration::MAX)] {
        let (mut server, stream) = Server::in_memory();
        let login = Login::over(stream).keepalive(keepalive).log_in("bob".parse().unwrap());
        let (session, ()) = tokio::join!(login, server.welcome("bob"));
        let (client, _events) = session.unwrap();
        sleep(Duration::from_secs(100_000)).await;
        assert!(client.closed().now_or_never().is_none(), "it lasts");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_answers_nothing_does_not_hold_a_client_that_leaves() {
    for (mut server, client, _events) in [bob().await, guest().await] {
        let receipt = client.queue("a".parse().unwrap()).await.unwrap();
        let start = Instant::now();
        // The room is busy, so the server is not silent.
        let chatter = async {
            loop {
                sleep(Duration::from_secs(1)).await;
                server.send_lines("JOIN al").await;
            }
        };
        let report = tokio::select! {
            report = within_minutes(client.close()) => report.unwrap_err().into_report(),
            () = chatter => panic!("it does not end"),
        };
        assert_eq!((report.reason, report.unknown), (CloseReason::TimedOut, 1));
        assert_eq!(start.elapsed(), LEAVE_TIMEOUT);
        assert_eq!(receipt.await, Err(SendError::Unknown));
    }
}

/// A server may be slow: each answer gives it time for the next.
#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_waits_for_a_slow_server() {
    let (mut server, client, _events) = bob().await;
    let mut receipts = Vec::new();
    for _ in 0..10 {
        receipts.push(client.queue("a".parse().unwrap()).await.unwrap());
    }
    let serve = async {
        for _ in 0..10 {
            sleep(LEAVE_TIMEOUT.mul_f64(0.99)).await;
            server.send_lines("OK").await;
        }
    };
    let (report, ()) = within_minutes(async { tokio::join!(client.close(), serve) }).await;
    assert_eq!(report.unwrap().accepted, 10);
}

/// Makes the session and its queue as full as they can be.
async fn fill(client: &ChatClient) {
    let mut queued = 0;
    while queued < MAX_OUTSTANDING + MAX_QUEUED {
        match client.try_queue("a".parse().unwrap()) {
            Ok(receipt) => {
                drop(receipt);
                queued += 1;
            }
            Err(SendError::Full) => tokio::task::yield_now().await,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(client.try_queue("b".parse().unwrap()).unwrap_err(), SendError::Full);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_does_not_extend_the_time_to_leave() {
    let (_server, client, _events) = guest().await;
    fill(&client).await;
    let start = Instant::now();
    let report = within_minutes(client.close()).await.unwrap_err().into_report();
    assert_eq!((report.reason, start.elapsed()), (CloseReason::TimedOut, LEAVE_TIMEOUT));
}

#[tokio::test(start_paused = true)]
async fn leaving_does_not_wait_for_room_in_the_queue() {
    let (_server, client, mut events) = bob().await;
    fill(&client).await;
    let start = Instant::now();
    client.leave_within(Duration::from_secs(2));
    let report = within_minutes(client.closed()).await;
    assert_eq!(start.elapsed(), Duration::from_secs(2));
    assert_eq!((report.reason, report.unknown), (CloseReason::TimedOut, MAX_OUTSTANDING as u64));
    // Each message has an event, in order.
    for _ in 0..MAX_OUTSTANDING {
        assert_eq!(next(&mut events).await, Event::unknown("a".parse().unwrap()));
    }
    for _ in 0..MAX_QUEUED {
        assert_eq!(next(&mut events).await, Event::not_sent("a".parse().unwrap()));
    }
}
