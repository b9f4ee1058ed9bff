//! Servers that acknowledge otherwise than this protocol says, told apart by what they do.

use super::*;

/// What happens to the state, and what comes of it: answers as `ticket+` (accepted), `-` (refused), `?` (unknown), what
/// others said as `<name>`, and what the session says.
fn story(name: Option<&str>, steps: &[&str]) -> String {
    let session = if name.is_some() { Session::Named } else { Session::Plain };
    let mut state = State::new(session, name.map(|name| Name::new(name).unwrap()));
    let (mut told, mut ticket) = (Vec::new(), 0);
    for step in steps {
        let reaction = match *step {
            "(time)" if state.patience().is_some() => {
                state.overdue();
                None
            }
            "(time)" => {
                told.push("patient".to_owned());
                None
            }
            step => match step.strip_prefix("say ") {
                Some(text) => {
                    state.request(Request::Say(text.parse().unwrap(), ticket));
                    ticket += 1;
                    None
                }
                None => Some(state.hear(ServerMessage::parse(step.to_owned()))),
            },
        };
        let earlier: Vec<_> = std::iter::from_fn(|| state.earlier()).collect();
        for reaction in earlier.into_iter().chain(reaction) {
            if let Some((ticket, answer)) = reaction.answer {
                let mark = match answer {
                    Answer::Accepted => '+',
                    Answer::Refused => '-',
                    _ => '?',
                };
                told.push(format!("{ticket}{mark}"));
            }
            match reaction.event {
                Some(Event::Message { from, .. }) => told.push(format!("<{from}>")),
                Some(Event::Unexpected(_)) => told.push("stray".to_owned()),
                _ => {}
            }
        }
        told.extend(std::iter::from_fn(|| state.due()).map(|said| format!("{said:?}").to_uppercase()));
    }
    told.join(" ")
}

#[track_caller]
fn check(steps: &[&str], told: &str) {
    assert_eq!(story(Some("me"), steps), told, "{steps:?}");
}

#[test]
fn a_server_of_this_protocol_is_given_all_the_time() {
    check(&["say a", "OK", "say b", "(time)"], "0+ patient");
    check(&["say a", "(time)", "OK", "PONG", "say b", "(time)", "OK"], "PING 0+ patient 1+");
    check(&["(time)"], "patient");
}

#[test]
fn its_pong_never_stands_for_an_ok() {
    check(&["say a", "OK", "say b", "PONG", "OK"], "0+ stray 1+");
}

#[test]
fn no_ok_at_all_is_found_out_by_a_ping() {
    check(&["say a", "say b", "(time)", "PONG", "say c", "PONG"], "PING 0+ 1+ PING 2+");
    check(&["say a", "(time)", "BAD REQ"], "PING 0-");
}

#[test]
fn no_answer_to_anything_leaves_it_unknown_and_nobody_waits() {
    check(&["say a", "(time)", "(time)", "say b", "(time)"], "PING 0? 1? patient");
    check(&["say a", "(time)", "(time)", "OK", "say b", "OK", "FROM al MSG x"], "PING 0? 1? <al>");
}

#[test]
fn a_guest_cannot_probe_since_there_ping_is_a_message() {
    assert_eq!(story(None, &["say a", "(time)"]), "0?");
    assert_eq!(story(None, &["say a", "OK", "say b", "(time)"]), "0+ patient");
}

#[test]
fn an_echo_alone_is_an_answer() {
    check(&["say a", "say b", "FROM me MSG a", "FROM al MSG b", "FROM ME MSG b"], "0+ <al> 1+");
}

#[test]
fn an_echo_beside_the_ok_counts_once() {
    let after = ["say a", "say a", "say b", "OK", "FROM me MSG a", "OK", "FROM me MSG a", "BAD REQ"];
    check(&after, "0+ 1+ 2-");
    let before = ["say a", "say a", "say b", "FROM me MSG a", "OK", "FROM me MSG a", "OK", "BAD REQ"];
    check(&before, "0+ 1+ 2-");
    check(&["say a", "say b", "FROM me MSG a", "FROM me MSG b", "OK", "OK", "say c", "BAD REQ"], "0+ 1+ 2-");
}

#[test]
fn an_echo_of_what_was_never_said_is_shown() {
    check(&["FROM me MSG x", "say a", "FROM me MSG x", "OK", "FROM me MSG a", "FROM me MSG a"], "<me> <me> 0+ <me>");
}
