//! Properties: any bytes are borne, chunking changes nothing, and what is formatted is parsed back.

use bytes::BytesMut;
use chat_proto::{
    ClientCodec, ClientMessage, CodecError, MAX_LINE, Name, ParseError, ServerCodec, ServerMessage, Session, Stage,
    Text,
};
use proptest::{collection::vec, prelude::*, sample::Index};
use tokio_util::codec::{Decoder, Encoder};

/// All items of a stream that arrives in these chunks, and whether it was cut.
fn decode_all<C, M>(mut codec: C, chunks: &[&[u8]]) -> (Vec<Result<M, ParseError>>, bool)
where
    C: Decoder<Item = Result<M, ParseError>, Error = CodecError>,
{
    let (mut src, mut items) = (BytesMut::new(), Vec::new());
    for chunk in chunks {
        src.extend_from_slice(chunk);
        loop {
            match codec.decode(&mut src) {
                Ok(Some(item)) => items.push(item),
                Ok(None) => break,
                Err(_) => return (items, true),
            }
            // A server closes after a first line in error, so that nothing is said of what would follow.
            if items.len() == 1 && items[0].is_err() {
                return (items, false);
            }
        }
        assert!(src.len() <= MAX_LINE, "no more than a line is kept");
    }
    loop {
        match codec.decode_eof(&mut src) {
            Ok(Some(item)) => items.push(item),
            Ok(None) => return (items, false),
            Err(_) => return (items, true),
        }
    }
}

fn chunks<'a>(bytes: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    cuts.sort_unstable();
    cuts.push(bytes.len());
    let mut start = 0;
    cuts.into_iter().map(|end| &bytes[std::mem::replace(&mut start, end)..end]).collect()
}

fn name() -> impl Strategy<Value = Name> {
    "[A-Za-z0-9]{1,20}".prop_filter_map("a name that can be chosen", |name| Name::chosen(&name).ok())
}

fn text() -> impl Strategy<Value = Text> {
    "\\PC{1,60}".prop_filter_map("a text", |text| Text::new(text).ok())
}

fn client_message() -> impl Strategy<Value = ClientMessage> {
    prop_oneof![
        Just(ClientMessage::ReqClients),
        Just(ClientMessage::Ping),
        Just(ClientMessage::Pong),
        Just(ClientMessage::Bye),
        name().prop_map(ClientMessage::Name),
        text().prop_map(ClientMessage::Msg),
    ]
}

fn server_message() -> impl Strategy<Value = ServerMessage> {
    prop_oneof![
        Just(ServerMessage::Ok),
        Just(ServerMessage::Welcome),
        Just(ServerMessage::BadReq),
        name().prop_map(ServerMessage::Join),
        name().prop_map(ServerMessage::Logout),
        (name(), text()).prop_map(|(name, text)| ServerMessage::From { name, text }),
        text().prop_map(ServerMessage::Notice),
        (vec(name(), 0..9), 0..9_usize)
            .prop_map(|(names, more)| ServerMessage::Clients { total: names.len() + more, names }),
    ]
}

/// A line that is nearly right, which finds more than noise does.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let start = prop_oneof![
        Just("PROT 0.1 CONNECT NEW"),
        Just("PROT 0.1 CONNECT USER "),
        Just("NAME "),
        Just("MSG "),
        Just("REQ CLIENTS"),
        Just("BYE"),
        Just("FROM bob MSG "),
        Just("NOTICE "),
        Just("LIST CLIENTS "),
        Just(""),
    ];
    let rest = prop_oneof![Just(Vec::new()), "[ -~]{0,12}".prop_map(String::into_bytes), vec(any::<u8>(), 0..12)];
    let end = prop_oneof![4 => Just("\n"), 4 => Just("\r\n"), 1 => Just("\r"), 1 => Just("")];
    let long = prop_oneof![30 => Just(0_usize), 1 => 8_150..8_250_usize, 1 => Just(70_000)];
    (start, rest, long, end).prop_map(|(start, rest, long, end)| {
        let padding = vec![b'x'; long];
        [start.as_bytes(), &rest, &padding, end.as_bytes()].concat()
    })
}

proptest! {
    #[test]
    fn chunking_changes_nothing(lines in vec(line(), 0..12), cuts in vec(any::<Index>(), 0..12)) {
        let bytes = lines.concat();
        let cut = chunks(&bytes, &cuts);
        prop_assert_eq!(decode_all(ServerCodec::new(), &[&bytes]), decode_all(ServerCodec::new(), &cut));
        let client = || ClientCodec::new(Session::Named);
        prop_assert_eq!(decode_all(client(), &[&bytes]), decode_all(client(), &cut));
    }

    #[test]
    fn any_bytes_are_borne(bytes in vec(any::<u8>(), 0..3_000)) {
        decode_all(ServerCodec::new(), &[&bytes]);
        decode_all(ClientCodec::new(Session::Plain), &[&bytes]);
        let opened = [b"PROT 0.1 CONNECT NEW\n", bytes.as_slice()].concat();
        decode_all(ServerCodec::new(), &[&opened]);
    }

    #[test]
    fn what_a_client_writes_is_read_back(message in client_message()) {
        let mut line = String::new();
        message.write(Session::Named, &mut line).unwrap();
        prop_assert_eq!(ClientMessage::parse(Stage::Later(Session::Named), line), Ok(message));
    }

    #[test]
    fn what_a_client_opens_with_is_read_back(name in name()) {
        for message in [ClientMessage::ConnectNew, ClientMessage::ConnectUser(name)] {
            let mut line = String::new();
            message.write(Session::Named, &mut line).unwrap();
            prop_assert_eq!(ClientMessage::parse(Stage::First, line), Ok(message));
        }
    }

    #[test]
    fn what_a_server_writes_is_read_back(message in server_message()) {
        prop_assert_eq!(ServerMessage::parse(message.to_string()), Ok(message.clone()));
        let mut encoded = BytesMut::new();
        ServerCodec::new().encode(message.clone(), &mut encoded).unwrap();
        prop_assert_eq!(encoded, format!("{message}\r\n"));
    }
}
