//! Tests of the judge, with histories that are broken on purpose, each in one way.

use super::*;
use crate::testkit::Ask;

/// A session with these requests, and with these received lines after `NAME OK` and `WELCOME`. A request is given as its
/// line.
fn session(name: &str, asked: &str, heard: &str) -> Session {
    let session = Session::new(name.parse().unwrap());
    recorded(session, asked, &format!("NAME OK\nWELCOME\n{heard}"))
}

/// A plain session. Its messages are given as `MSG` lines too, because any other line stands for nonsense.
fn plain(asked: &str, heard: &str) -> Session {
    recorded(Session::plain(), asked, heard)
}

fn recorded(mut session: Session, asked: &str, heard: &str) -> Session {
    for line in asked.lines() {
        session.asks(match line {
            "REQ CLIENTS" => Ask::Clients,
            "PING" => Ask::Ping,
            "BYE" => Ask::Bye,
            _ => line.strip_prefix("MSG ").map_or(Ask::Nonsense, |text| Ask::Say(text.parse().unwrap())),
        });
    }
    heard.lines().for_each(|line| session.hears(line));
    session
}

const ORDER: &str = "JOIN ann\nJOIN bob\nFROM ann MSG a1\nFROM ann MSG a2\nFROM bob MSG b1\nLOGOUT ann\nBYE";
const ANN_ASKED: &str = "MSG a1\nxyz\nMSG a2\nREQ CLIENTS\nMSG rude\nBYE";
const ANN_HEARD: &str = "JOIN bob\nOK\nBAD REQ\nOK\nLIST CLIENTS 3 wit ann bob\nFROM bob MSG b1\nBAD REQ\nBYE";
const BOB_HEARD: &str = "FROM ann MSG a1\nFROM ann MSG a2\nPONG\nOK\nLOGOUT ann\nBYE";

/// Checks a run of the witness, Ann and Bob, who received these lines.
fn run(witness: &str, ann: &str, bob: &str) -> Result<Summary, Violations> {
    check(&[session("wit", "", witness), session("ann", ANN_ASKED, ann), session("bob", "PING\nMSG b1\nMSG b2", bob)])
}

#[track_caller]
fn caught(result: Result<Summary, Violations>, violation: &str) {
    let violations = result.expect_err("it is broken").0;
    let messages: Vec<_> = violations.iter().map(ToString::to_string).collect();
    assert!(messages.iter().any(|message| message == violation), "{messages:#?}");
}

#[test]
fn a_sound_history_passes() {
    let summary = run(ORDER, ANN_HEARD, BOB_HEARD).unwrap();
    assert_eq!(summary, Summary { events: 7, accepted: 3, refused: 1, unknown: 1 });
    // A client that is cut off may have received less. A message without an answer may be in the order or not.
    run(ORDER, "JOIN bob\nOK", "FROM ann MSG a1").unwrap();
    run(&ORDER.replace("MSG b1", "MSG b1\nFROM bob MSG b2"), "JOIN bob", "FROM ann MSG a1").unwrap();
    run(&ORDER.replace("FROM bob MSG b1\n", ""), "JOIN bob", "FROM ann MSG a1").unwrap();
}

#[test]
fn a_loss_is_caught() {
    caught(run(ORDER, ANN_HEARD, &BOB_HEARD.replace("FROM ann MSG a1\n", "")), "bob never got `FROM ann MSG a1`");
    caught(run(ORDER, ANN_HEARD, &BOB_HEARD.replace("LOGOUT ann\n", "")), "bob never got `LOGOUT ann`");
    caught(run(ORDER, &ANN_HEARD.replace("FROM bob MSG b1\n", ""), BOB_HEARD), "ann never got `FROM bob MSG b1`");
    caught(run(&ORDER.replace("FROM ann MSG a2\n", ""), ANN_HEARD, BOB_HEARD), "wit never got `FROM ann MSG a2`");
    caught(run(&ORDER.replace("JOIN bob\n", ""), ANN_HEARD, BOB_HEARD), "wit never got `JOIN bob`");
}

#[test]
fn a_duplicate_is_caught() {
    let twice = "FROM ann MSG a1\nFROM ann MSG a1";
    caught(run(ORDER, ANN_HEARD, &BOB_HEARD.replace("FROM ann MSG a1", twice)), "bob got `FROM ann MSG a1` again");
    caught(run(&ORDER.replace("FROM ann MSG a1", twice), ANN_HEARD, BOB_HEARD), "wit got `FROM ann MSG a1` again");
    let late = BOB_HEARD.replace("LOGOUT ann", "FROM ann MSG a1\nLOGOUT ann");
    caught(run(ORDER, ANN_HEARD, &late), "bob got `FROM ann MSG a1` again");
}

#[test]
fn a_swap_is_caught() {
    let swapped = BOB_HEARD.replace("a1\nFROM ann MSG a2", "a2\nFROM ann MSG a1");
    caught(run(ORDER, ANN_HEARD, &swapped), "bob got `FROM ann MSG a2` before `FROM ann MSG a1`");
    let swapped = ORDER.replace("a1\nFROM ann MSG a2", "a2\nFROM ann MSG a1");
    caught(
        run(&swapped, ANN_HEARD, &BOB_HEARD.replace("a1", "a3")),
        "`FROM ann MSG a1` comes after a message that was sent later",
    );
    // A client's own message has the position of its `OK`.
    let moved = ANN_HEARD
        .replace("OK\nBAD REQ\nOK\nLIST CLIENTS 3 wit ann bob\nFROM bob MSG b1", "OK\nBAD REQ\nFROM bob MSG b1\nOK");
    caught(run(ORDER, &moved, BOB_HEARD), "ann got `FROM bob MSG b1` before `FROM ann MSG a2`");
}

#[test]
fn a_message_that_no_client_sent_is_caught() {
    let more = BOB_HEARD.replace("LOGOUT", "FROM eve MSG hi\nLOGOUT");
    caught(run(ORDER, ANN_HEARD, &more), "bob got `FROM eve MSG hi`, which no client sent");
    let refused = ORDER.replace("LOGOUT", "FROM ann MSG rude\nLOGOUT");
    caught(run(&refused, ANN_HEARD, BOB_HEARD), "wit got `FROM ann MSG rude`, which was refused");
    let unshared = BOB_HEARD.replace("LOGOUT ann", "LOGOUT ann\nJOIN eve");
    caught(run(ORDER, ANN_HEARD, &unshared), "bob got `JOIN eve`, which is not in the order there");
}

#[test]
fn replies_out_of_order_are_caught() {
    caught(
        run(ORDER, &ANN_HEARD.replace("BAD REQ\nOK", "OK\nBAD REQ"), BOB_HEARD),
        "ann got \"OK\" where it does not belong",
    );
    caught(run(ORDER, ANN_HEARD, &BOB_HEARD.replace("PONG\n", "")), "bob got \"OK\" where it does not belong");
    caught(run(ORDER, ANN_HEARD, &format!("{BOB_HEARD}\nOK")), "bob got \"OK\" where it does not belong");
    caught(
        run(ORDER, ANN_HEARD, &BOB_HEARD.replace("OK", "FROM bob MSG b1")),
        "bob got \"FROM bob MSG b1\" where it does not belong",
    );
    caught(
        run(ORDER, ANN_HEARD, &BOB_HEARD.replace("MSG a1", "SG a1")),
        "bob got \"FROM ann SG a1\" where it does not belong",
    );
}

#[test]
fn a_roster_that_is_not_exact_is_caught() {
    let expected = "ann got the roster [\"wit\", \"ann\"] instead of [\"ann\", \"bob\", \"wit\"]";
    caught(run(ORDER, &ANN_HEARD.replace("3 wit ann bob", "2 wit ann"), BOB_HEARD), expected);
}

#[test]
fn impossible_joins_and_leaves_are_caught() {
    caught(run(&ORDER.replace("LOGOUT ann", "JOIN Ann"), ANN_HEARD, BOB_HEARD), "`JOIN Ann` is impossible here");
    caught(run(&ORDER.replace("BYE", "LOGOUT ann\nBYE"), ANN_HEARD, BOB_HEARD), "`LOGOUT ann` is impossible here");
}

#[test]
fn a_client_that_comes_back_is_matched_to_its_later_join() {
    let order = "JOIN ann\nLOGOUT ann\nJOIN ann\nFROM ann MSG 2\nLOGOUT ann\nJOIN ann\nFROM ann MSG 3\nBYE";
    let sessions = |third: &str| {
        [
            session("wit", "", order),
            session("ann", "", ""),
            session("ann", "MSG 2", "OK"),
            session("ann", "MSG 3", third),
        ]
    };
    check(&sessions("OK\nBYE")).unwrap();
    caught(check(&sessions("LOGOUT bob\nOK\nBYE")), "ann got `LOGOUT bob`, which is not in the order there");
}

/// Two plain sessions and a named one. The second plain session has no accepted message.
const GUESTS: &str = "JOIN guest1\nFROM guest1 MSG g1\nJOIN guest2\nJOIN ann\nFROM ann MSG a1\nFROM guest1 MSG g2\n\
                      LOGOUT guest1\nLOGOUT ann\nLOGOUT guest2\nBYE";
const GUEST1: &str = "OK\nJOIN guest2\nJOIN ann\nFROM ann MSG a1\nBAD REQ\nOK\nBYE";
const GUEST2: &str = "BAD REQ\nJOIN ann\nFROM ann MSG a1\nFROM guest1 MSG g2\nLOGOUT guest1\nLOGOUT ann\nBYE";

fn guests(witness: &str, first: &str, second: &str) -> Result<Summary, Violations> {
    let ann = session("ann", "MSG a1", "OK\nFROM guest1 MSG g2\nLOGOUT guest1");
    let (first, second) = (plain("MSG g1\nxyz\nMSG g2\nBYE", first), plain("MSG rude\nBYE", second));
    check(&[session("wit", "", witness), second, first, ann])
}

#[test]
fn plain_sessions_are_judged_too() {
    let summary = guests(GUESTS, GUEST1, GUEST2).unwrap();
    assert_eq!(summary, Summary { events: 10, accepted: 3, refused: 1, unknown: 0 });
    // One is cut off before it receives anything; the message of the other is refused.
    guests(GUESTS, "", "BAD REQ").unwrap();
    // The second is turned away with `BYE`.
    guests(&GUESTS.replace("guest2", "guest7"), "OK\nJOIN guest7", "BYE").unwrap();

    let caught_at = |first: &str, second: &str, violation| caught(guests(GUESTS, first, second), violation);
    caught_at(&GUEST1.replace("FROM ann MSG a1\n", ""), GUEST2, "guest1 never got `FROM ann MSG a1`");
    caught_at(GUEST1, &GUEST2.replace("FROM ann MSG a1\n", ""), "guest0 never got `FROM ann MSG a1`");
    caught_at(GUEST1, &GUEST2.replace("LOGOUT ann\n", ""), "guest0 never got `LOGOUT ann`");
    let twice = GUEST2.replace("FROM ann MSG a1", "FROM ann MSG a1\nFROM ann MSG a1");
    caught_at(GUEST1, &twice, "guest0 got `FROM ann MSG a1` again");
    let swapped = GUEST1.replace("JOIN ann\nFROM ann MSG a1\nBAD REQ\nOK", "BAD REQ\nOK\nJOIN ann\nFROM ann MSG a1");
    caught_at(&swapped, GUEST2, "guest1 got `FROM guest1 MSG g2` before `JOIN ann`");
    caught(guests(&GUESTS.replace("FROM guest1 MSG g2\n", ""), GUEST1, GUEST2), "wit never got `FROM guest1 MSG g2`");
    // A message must not count for another session.
    caught(
        guests(&GUESTS.replace("guest1 MSG g2", "guest2 MSG g2"), GUEST1, GUEST2),
        "wit got `FROM guest2 MSG g2`, which no client sent",
    );
    caught(guests(&GUESTS.replace("JOIN guest2\n", ""), GUEST1, GUEST2), "`LOGOUT guest2` is impossible here");
}

#[test]
fn lines_of_named_sessions_are_caught_in_plain_ones() {
    for line in ["PING", "PONG", "WELCOME", "NAME OK", "LIST CLIENTS 1 wit"] {
        let expected = format!("guest1 got {line:?} where it does not belong");
        caught(guests(GUESTS, &GUEST1.replace("JOIN ann", &format!("{line}\nJOIN ann")), GUEST2), &expected);
    }
}

#[test]
fn each_nameless_session_has_a_join_of_its_own() {
    let order = "JOIN guest1\nJOIN ann\nJOIN guest2\nJOIN ann2\nBYE";
    let run = |views: &[&str]| {
        let sessions = views.iter().map(|view| plain("", view));
        check(&[session("wit", "", order)].into_iter().chain(sessions).collect::<Vec<_>>())
    };
    // Each session fits at one `JOIN` only. The order of the sessions must not matter.
    run(&["JOIN ann\nJOIN guest2", "JOIN ann2\nBYE"]).unwrap();
    run(&["JOIN ann2\nBYE", "JOIN ann\nJOIN guest2"]).unwrap();
    caught(run(&["JOIN ann2\nBYE", "JOIN ann2"]), "wit never got `JOIN guest0`");
}

#[test]
fn a_run_that_cannot_be_judged_is_reported() {
    caught(run(&ORDER.replace("\nBYE", ""), ANN_HEARD, BOB_HEARD), "wit is the witness, and was cut off");
    let twice = check(&[session("wit", "MSG a\nMSG a", "OK\nOK\nBYE")]);
    caught(twice, "wit has sent \"a\" twice, so the two cannot be told apart");
}
