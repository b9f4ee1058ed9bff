//! The session's state without a runtime: lines in, answers and events out.

use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

fn line(line: &str) -> Result<ServerMessage, ParseError> {
    ServerMessage::parse(line.to_owned())
}

fn text(text: &str) -> Text {
    text.parse().unwrap()
}

/// A named session after these requests: `say …`, `roster`, `ping` or `leave`. Their tickets count from 0.
fn after(requests: &[&str]) -> State<usize> {
    let mut state = State::new(Session::Named, Name::new("me").ok());
    for (ticket, request) in requests.iter().enumerate() {
        state.request(match *request {
            "roster" => Request::Roster(ticket),
            "ping" => Request::Ping(ticket),
            "leave" => {
                state.leave();
                continue;
            }
            message => Request::Say(text(message.strip_prefix("say ").unwrap()), ticket),
        });
    }
    state
}

/// A line of the server, the answer that it gives with its ticket, and the event.
type Step<'a> = (&'a str, Option<(usize, Answer)>, Option<Event>);

#[track_caller]
fn check(state: &mut State<usize>, steps: &[Step<'_>]) {
    for (received, answer, event) in steps {
        let reaction = state.receive(line(received));
        assert_eq!((&reaction.answer, &reaction.event), (answer, event), "after {received:?}");
        assert_eq!(reaction.close_reason, None, "after {received:?}");
    }
}

#[test]
fn replies_belong_to_requests_in_order() {
    let (bob, names) = (Name::new("bob").unwrap(), vec![Name::new("al").unwrap(), Name::new("bob").unwrap()]);
    let mut state = after(&["say a", "say b", "roster", "ping", "say c"]);
    check(
        &mut state,
        &[
            ("OK", Some((0, Answer::Accepted)), Some(Event::accepted(text("a")))),
            ("FROM bob MSG OK", None, Some(Event::message(bob, text("OK")))),
            ("BAD REQ", Some((1, Answer::Refused)), Some(Event::refused(text("b")))),
            ("LIST CLIENTS 2 al", None, None),
            ("LIST CLIENTS 2 bob", Some((2, Answer::Roster(names.clone()))), Some(Event::roster(names))),
            ("LOGOUT bob", None, Some(Event::left(bob))),
            ("PONG", Some((3, Answer::Pong)), None),
            ("OK", Some((4, Answer::Accepted)), Some(Event::accepted(text("c")))),
        ],
    );
    assert!(!state.is_waiting());
}

#[test]
fn bad_req_answers_the_oldest_request() {
    let mut state = after(&["roster", "ping", "say a"]);
    check(
        &mut state,
        &[
            ("BAD REQ", Some((0, Answer::Refused)), None),
            ("BAD REQ", Some((1, Answer::Refused)), None),
            ("BAD REQ", Some((2, Answer::Refused)), Some(Event::refused(text("a")))),
        ],
    );
}

#[test]
fn a_stray_reply_changes_nothing() {
    let stray = |message| Some(Event::Unexpected(message));
    check(&mut after(&[]), &[("OK", None, stray(ServerMessage::Ok)), ("WELCOME", None, stray(ServerMessage::Welcome))]);
    // The ping is first in the queue, so this OK does not answer the message.
    let mut state = after(&["ping", "say a"]);
    check(
        &mut state,
        &[
            ("OK", None, stray(ServerMessage::Ok)),
            ("BAD PROT", None, stray(ServerMessage::BadProt)),
            ("PONG", Some((0, Answer::Pong)), None),
            ("OK", Some((1, Answer::Accepted)), Some(Event::accepted(text("a")))),
        ],
    );
}

#[test]
fn a_notice_answers_nothing() {
    let notice = || Some(Event::notice(text("OK")));
    let mut state = after(&["say a", "ping"]);
    check(
        &mut state,
        &[
            ("NOTICE OK", None, notice()),
            ("OK", Some((0, Answer::Accepted)), Some(Event::accepted(text("a")))),
            ("NOTICE OK", None, notice()),
            ("PONG", Some((1, Answer::Pong)), None),
        ],
    );
    let mut guest = State::<usize>::new(Session::Plain, None);
    assert_eq!(guest.receive(line("NOTICE OK")).event, notice());
    assert_eq!(guest.receive(line("BYE")).close_reason, Some(CloseReason::ServerBye), "it had joined");
}

#[test]
fn an_invalid_roster_ends_its_request_only() {
    let mut state = after(&["roster", "roster", "say a"]);
    assert_eq!(state.receive(line("LIST CLIENTS x")).answer, Some((0, Answer::Malformed)));
    check(
        &mut state,
        &[
            ("LIST CLIENTS 3 a", None, None),
            ("LIST CLIENTS 2 b", Some((1, Answer::Malformed)), None),
            ("OK", Some((2, Answer::Accepted)), Some(Event::accepted(text("a")))),
        ],
    );
}

#[test]
fn ping_is_answered_in_a_named_session_only() {
    let mut state = after(&["say a"]);
    check(&mut state, &[("PING", None, None), ("PING", None, None)]);
    assert_eq!(
        [state.next_own_message(), state.next_own_message(), state.next_own_message()],
        [Some(ClientMessage::Pong), Some(ClientMessage::Pong), None]
    );

    let mut guest = State::<usize>::new(Session::Plain, None);
    assert_eq!(guest.receive(line("PING")).event, Some(Event::Unexpected(ServerMessage::Ping)));
    assert_eq!(guest.next_own_message(), None, "it would be a message");
}

#[test]
fn bye_is_sent_after_the_last_answer() {
    let mut state = after(&["say a", "leave"]);
    assert!(!state.takes_requests());
    assert_eq!(state.next_own_message(), None);
    assert_eq!(state.receive(line("OK")).answer, Some((0, Answer::Accepted)));
    assert_eq!([state.next_own_message(), state.next_own_message()], [Some(ClientMessage::Bye), None]);
    assert!(state.is_waiting(), "for the server's BYE");
    assert_eq!(state.receive(line("BYE")).close_reason, Some(CloseReason::Left));
    let (report, _) = state.end(CloseReason::Left);
    assert_eq!(report, SessionReport { reason: CloseReason::Left, accepted: 1, refused: 0, unknown: 0 });
}

#[test]
fn an_error_after_bye_is_no_error() {
    let mut state = after(&["leave"]);
    assert_eq!(state.next_own_message(), Some(ClientMessage::Bye));
    assert_eq!(state.end(CloseReason::Io(std::io::ErrorKind::ConnectionReset)).0.reason, CloseReason::Left);
}

#[test]
fn messages_without_an_answer_at_the_end_are_unknown() {
    let mut state = after(&["say a", "say b", "roster", "say c", "leave"]);
    state.receive(line("OK"));
    assert_eq!(state.receive(line("BYE")).close_reason, Some(CloseReason::ServerBye));
    let (report, unanswered) = state.end(CloseReason::ServerBye);
    let unanswered: Vec<_> = unanswered.map(|request| (request.ticket, request.message)).collect();
    assert_eq!(unanswered, [(1, Some(text("b"))), (2, None), (3, Some(text("c")))]);
    assert_eq!(report, SessionReport { reason: CloseReason::ServerBye, accepted: 1, refused: 0, unknown: 2 });
}

#[test]
fn a_first_line_can_refuse_a_guest() {
    let first = |received: &str| State::<usize>::new(Session::Plain, None).receive(line(received)).close_reason;
    assert_eq!(first("BYE"), Some(CloseReason::TurnedAway));
    assert_eq!(first("BAD PROT"), Some(CloseReason::GuestsRefused));

    let mut state = State::<usize>::new(Session::Plain, None);
    state.receive(line("JOIN bob"));
    assert_eq!(state.receive(line("BYE")).close_reason, Some(CloseReason::ServerBye));
}

#[test]
fn unanswered_requests_are_limited() {
    let mut state = after(&["say a"; MAX_OUTSTANDING]);
    assert!(!state.takes_requests());
    state.receive(line("OK"));
    assert!(state.takes_requests());
}

proptest! {
    /// Each request gets exactly one answer, in order, whatever a server sends. `OK`s are not counted twice.
    #[test]
    fn every_request_has_one_answer(
        requests in vec(select(vec!["say a", "roster", "ping"]), 0..20),
        lines in vec(prop_oneof![
            select(vec!["OK", "BAD REQ", "PONG", "PING", "LIST CLIENTS 2 a", "LIST CLIENTS 1 a", "LIST CLIENTS x",
                        "JOIN a", "NAME REQ", "FROM a"]).prop_map(str::to_owned),
            "\\PC{0,20}",
        ], 0..60),
    ) {
        let mut state = after(&requests);
        let (mut ended, mut accepted, mut skipped) = (Vec::new(), 0, 0);
        let (mut sends_ok, mut sends_ok_and_skips) = (false, false);
        for received in &lines {
            let reaction = state.receive(line(received));
            // Only the answer to a later request skips a message.
            let skips = state.earlier.iter().filter(|earlier| earlier.event.is_some()).count() as u64;
            prop_assert!(skips == 0 || received == "PONG" || received.starts_with("LIST CLIENTS "), "{:?}", received);
            sends_ok_and_skips |= sends_ok && skips > 0;
            sends_ok |= received == "OK" && reaction.answer.is_some();
            skipped += skips;
            for reaction in std::iter::from_fn(|| state.next_earlier()).collect::<Vec<_>>().into_iter().chain([reaction]) {
                if let Some((ticket, answer)) = reaction.answer {
                    accepted += u64::from(answer == Answer::Accepted);
                    ended.push(ticket);
                }
            }
        }
        // Once a server has sent OK, no message is skipped.
        let oks = lines.iter().filter(|line| *line == "OK").count() as u64;
        prop_assert!(accepted <= oks + skipped, "{} accepted by {} OKs, {} skipped", accepted, oks, skipped);
        prop_assert!(!sends_ok_and_skips);
        let (report, unanswered) = state.end(CloseReason::Eof);
        prop_assert_eq!(report.accepted, accepted);
        ended.extend(unanswered.map(|request| request.ticket));
        // A PONG may overtake the messages of a server that owes their OKs.
        ended.sort_unstable();
        prop_assert_eq!(ended, (0..requests.len()).collect::<Vec<_>>());
        let messages = requests.iter().filter(|request| request.starts_with("say")).count() as u64;
        prop_assert_eq!(report.accepted + report.refused + report.unknown, messages);
    }

    /// A server that answers in order is understood, whatever other lines come in between.
    #[test]
    fn a_server_that_answers_in_order_is_understood(
        room in vec((any::<bool>(), select(vec!["FROM b MSG OK", "JOIN b", "PING", "NEWS", "FROM b"])), 0..40),
    ) {
        let mut state = after(&vec!["say a"; room.len()]);
        for (ticket, (accepts, chatter)) in room.iter().enumerate() {
            prop_assert!(state.receive(line(chatter)).answer.is_none());
            let (reply, answer) = if *accepts { ("OK", Answer::Accepted) } else { ("BAD REQ", Answer::Refused) };
            prop_assert_eq!(state.receive(line(reply)).answer, Some((ticket, answer)));
        }
        prop_assert_eq!(state.end(CloseReason::Eof).0.unknown, 0);
    }
}
