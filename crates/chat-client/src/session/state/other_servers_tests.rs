//! Servers that acknowledge in other ways than the protocol requires, told apart by their answers.

use super::*;

/// Plays steps and returns what followed: answers as `ticket+` (accepted), `-` (refused), `?` (unknown), messages of
/// others as `<name>`, and what the session sends.
fn play(name: Option<&str>, steps: &[&str]) -> String {
    let session = if name.is_some() { Session::Named } else { Session::Plain };
    let mut state = State::new(session, name.map(|name| Name::new(name).unwrap()));
    let (mut outcome, mut ticket) = (Vec::new(), 0);
    for step in steps {
        let reaction = match *step {
            "(time)" if state.answer_timeout().is_some() => {
                state.overdue();
                None
            }
            "(time)" => {
                outcome.push("patient".to_owned());
                None
            }
            step => match step.strip_prefix("say ") {
                Some(text) => {
                    state.request(Request::Say(text.parse().unwrap(), ticket));
                    ticket += 1;
                    None
                }
                None => Some(state.receive(ServerMessage::parse(step.to_owned()))),
            },
        };
        let earlier: Vec<_> = std::iter::from_fn(|| state.next_earlier()).collect();
        for reaction in earlier.into_iter().chain(reaction) {
            if let Some((ticket, answer)) = reaction.answer {
                let mark = match answer {
                    Answer::Accepted => '+',
                    Answer::Refused => '-',
                    _ => '?',
                };
                outcome.push(format!("{ticket}{mark}"));
            }
            match reaction.event {
                Some(Event::Message { from, .. }) => outcome.push(format!("<{from}>")),
                Some(Event::Unexpected(_)) => outcome.push("stray".to_owned()),
                _ => {}
            }
        }
        outcome.extend(std::iter::from_fn(|| state.next_own_message()).map(|said| format!("{said:?}").to_uppercase()));
    }
    outcome.join(" ")
}

#[track_caller]
fn check(steps: &[&str], outcome: &str) {
    assert_eq!(play(Some("me"), steps), outcome, "{steps:?}");
}

#[test]
fn a_server_that_sends_ok_has_no_time_limit() {
    check(&["say a", "OK", "say b", "(time)"], "0+ patient");
    check(&["say a", "(time)", "OK", "PONG", "say b", "(time)", "OK"], "PING 0+ patient 1+");
    check(&["(time)"], "patient");
}

#[test]
fn a_pong_never_replaces_an_ok() {
    check(&["say a", "OK", "say b", "PONG", "OK"], "0+ stray 1+");
}

#[test]
fn a_ping_shows_that_a_server_sends_no_ok() {
    check(&["say a", "say b", "(time)", "PONG", "say c", "PONG"], "PING 0+ 1+ PING 2+");
    check(&["say a", "(time)", "BAD REQ"], "PING 0-");
}

#[test]
fn without_any_answer_messages_are_unknown_at_once() {
    check(&["say a", "(time)", "(time)", "say b", "(time)"], "PING 0? 1? patient");
}

/// The server was slow or suspended: its answer corrects what the timeout assumed.
#[test]
fn a_late_ok_shows_that_the_server_answers() {
    check(&["say a", "(time)", "(time)", "OK", "say b", "OK", "FROM al MSG x"], "PING 0? 1+ <al>");
    // The OK belongs to the oldest message, which was given up.
    let suspended = ["say a", "(time)", "(time)", "say b", "OK", "say c", "PONG", "OK", "OK", "say d", "(time)", "OK"];
    check(&suspended, "PING 0? 1? 2+ patient 3+");
    check(&["say a", "(time)", "(time)", "BAD REQ", "say b", "OK"], "PING 0? 1+");
    check(&["say a", "(time)", "(time)", "PONG", "say b", "PONG"], "PING 0? PING 1+");
    let guest = ["say a", "(time)", "(time)", "say b", "OK", "say c", "OK", "OK", "say d", "(time)", "BAD REQ"];
    assert_eq!(play(None, &guest), "0? 1? 2+ patient 3-");
}

#[test]
fn late_answers_are_in_the_report() {
    let mut state = State::new(Session::Plain, None);
    for ticket in 0..4 {
        state.request(Request::Say("a".parse().unwrap(), ticket));
    }
    state.overdue();
    state.overdue();
    assert!(!state.is_waiting() && state.takes_requests());
    state.receive(Ok(ServerMessage::Ok));
    state.receive(Ok(ServerMessage::BadReq));
    state.receive(Ok(ServerMessage::Ok));
    state.request(Request::Leave);
    assert_eq!(state.next_own_message(), Some(ClientMessage::Bye), "nobody waits");
    let (report, unanswered) = state.end(CloseReason::Left);
    assert_eq!((report.accepted, report.refused, report.unknown, unanswered.count()), (2, 1, 1, 0));
}

#[test]
fn messages_to_an_unresponsive_server_take_no_memory() {
    let mut state = State::new(Session::Plain, None);
    for ticket in 0..100_000 {
        assert!(state.takes_requests());
        state.request(Request::Say("a".parse().unwrap(), ticket));
        if ticket == 0 {
            state.overdue();
            state.overdue();
        }
        while state.next_earlier().is_some() {}
        assert!(state.awaited.len() <= 1);
    }
    assert_eq!(state.end(CloseReason::Eof).0.unknown, 100_000);
}

#[test]
fn a_guest_sends_no_ping_because_it_would_be_a_message() {
    assert_eq!(play(None, &["say a", "(time)"]), "");
    assert_eq!(play(None, &["say a", "(time)", "(time)", "say b"]), "0? 1?");
    // A guest gets the same time limits.
    assert_eq!(play(None, &["say a", "(time)", "OK", "say b", "(time)"]), "0+ patient");
    assert_eq!(play(None, &["say a", "OK", "say b", "(time)"]), "0+ patient");
}

#[test]
fn an_echo_without_ok_acknowledges_a_message() {
    check(&["say a", "say b", "FROM me MSG a", "FROM al MSG b", "FROM ME MSG b"], "0+ <al> 1+");
}

#[test]
fn a_message_with_echo_and_ok_counts_once() {
    let after = ["say a", "say a", "say b", "OK", "FROM me MSG a", "OK", "FROM me MSG a", "BAD REQ"];
    check(&after, "0+ 1+ 2-");
    let before = ["say a", "say a", "say b", "FROM me MSG a", "OK", "FROM me MSG a", "OK", "BAD REQ"];
    check(&before, "0+ 1+ 2-");
    check(&["say a", "say b", "FROM me MSG a", "FROM me MSG b", "OK", "OK", "say c", "BAD REQ"], "0+ 1+ 2-");
}

#[test]
fn a_message_under_the_own_name_that_was_not_sent_is_shown() {
    check(&["FROM me MSG x", "say a", "FROM me MSG x", "OK", "FROM me MSG a", "FROM me MSG a"], "<me> <me> 0+ <me>");
}
