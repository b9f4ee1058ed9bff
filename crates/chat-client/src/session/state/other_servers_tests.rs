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
            "(time)" if state.is_unproven() => {
                state.ping();
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
        outcome.extend(
            std::iter::from_fn(|| state.next_own_message()).map(|message| format!("{message:?}").to_uppercase()),
        );
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
fn without_any_answer_messages_wait() {
    check(&["say a", "(time)", "(time)", "say b", "(time)"], "PING patient patient");
}

/// The server was slow or suspended: it answers everything, however late.
#[test]
fn a_late_ok_acknowledges_its_message() {
    check(&["say a", "(time)", "(time)", "OK", "say b", "PONG", "OK", "FROM al MSG x"], "PING patient 0+ 1+ <al>");
    let suspended = ["say a", "(time)", "(time)", "say b", "OK", "PONG", "OK", "say c", "(time)", "OK"];
    check(&suspended, "PING patient 0+ 1+ patient 2+");
    check(&["say a", "(time)", "BAD REQ", "say b", "PONG", "OK"], "PING 0- 1+");
}

/// The server omitted `OK` at first, or sends it late. One `OK` shows that it will send the others.
#[test]
fn one_ok_corrects_the_guess_that_a_server_sends_none() {
    let omits_at_first = ["say a", "(time)", "PONG", "say b", "OK", "PONG", "say c", "(time)", "OK"];
    check(&omits_at_first, "PING 0+ PING 1+ patient 2+");
    let late = ["say a", "(time)", "PONG", "OK", "say b", "(time)", "OK", "OK"];
    check(&late, "PING 0+ patient 1+ stray");
}

/// The answer to a `PING` must reach its caller, and it is no answer to a message.
#[test]
fn a_pong_that_overtakes_an_ok_leaves_the_message_waiting() {
    let mut state = State::new(Session::Named, Name::new("me").ok());
    let say = |text: &str, ticket| Request::Say(text.parse().unwrap(), ticket);
    state.request(say("a", 0));
    state.receive(Ok(ServerMessage::Ok));
    state.request(say("b", 1));
    state.request(Request::Ping(2));
    assert_eq!(state.receive(Ok(ServerMessage::Pong)).answer, Some((2, Answer::Pong)));
    assert_eq!(state.receive(Ok(ServerMessage::Ok)).answer, Some((1, Answer::Accepted)));
}

#[test]
fn requests_to_a_silent_server_take_bounded_memory() {
    let mut state = State::new(Session::Plain, None);
    let mut requests = 0;
    while state.takes_requests() {
        state.request(Request::Say("a".parse().unwrap(), requests));
        requests += 1;
    }
    assert_eq!(requests, MAX_OUTSTANDING);
    assert_eq!(state.end(CloseReason::Eof).0.unknown, 1_024);
}

#[test]
fn a_guest_sends_no_ping_because_it_would_be_a_message() {
    assert_eq!(play(None, &["say a", "(time)", "say b", "(time)", "OK", "OK"]), "patient patient 0+ 1+");
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
