//! Any bytes, in any pieces, mean the same as in one piece; and what they mean can be said again.

use bytes::BytesMut;
use chat_proto::{ClientCodec, ClientMessage, CodecError, ParseError, ServerCodec, ServerMessage, Session};
use tokio_util::codec::Decoder;

/// An input is bytes, and before them how to cut them: how many lengths of pieces, in the low three bits; and these, which
/// are taken in turn.
pub(crate) fn check(input: &[u8]) {
    let Some((&lengths, rest)) = input.split_first() else { return };
    let (lengths, bytes) = rest.split_at(rest.len().min(usize::from(lengths & 7)));

    // Nobody reads on behind a first line that says no login: it is refused, and the connection is closed (clause 2.4).
    let refused = |codec: &ServerCodec| codec.session().is_none();
    let whole = decode(ServerCodec::new(), refused, bytes, &[]);
    assert_eq!(whole, decode(ServerCodec::new(), refused, bytes, lengths), "as a server");
    for message in whole.0.iter().flatten() {
        if let ClientMessage::Msg(text) = message {
            assert!(!text.as_str().contains(|character: char| character.is_control() && character != '\t'));
        }
    }
    for session in [Session::Named, Session::Plain] {
        let refused = |_: &ClientCodec| false;
        let whole = decode(ClientCodec::new(session), refused, bytes, &[]);
        assert_eq!(whole, decode(ClientCodec::new(session), refused, bytes, lengths), "as a client");
        for message in whole.0.iter().flatten() {
            assert_eq!(ServerMessage::parse(message.to_string()).as_ref(), Ok(message), "said again");
        }
    }
}

/// All items up to the end of the stream, or to what ends it before: an error, or an item that `refused` says is one.
fn decode<D, M>(
    mut codec: D,
    refused: impl Fn(&D) -> bool,
    bytes: &[u8],
    lengths: &[u8],
) -> (Vec<Result<M, ParseError>>, bool)
where
    D: Decoder<Item = Result<M, ParseError>, Error = CodecError>,
{
    let (mut buffer, mut items, mut rest) = (BytesMut::new(), Vec::new(), bytes);
    let mut lengths = lengths.iter().map(|&length| usize::from(length).max(1)).cycle();
    loop {
        let ended = rest.is_empty();
        let (piece, later) = rest.split_at(lengths.next().unwrap_or(rest.len()).min(rest.len()));
        buffer.extend_from_slice(piece);
        rest = later;
        loop {
            let item = if ended { codec.decode_eof(&mut buffer) } else { codec.decode(&mut buffer) };
            match item {
                Ok(Some(item)) => {
                    let is_last = item.is_err() && refused(&codec);
                    items.push(item);
                    if is_last {
                        return (items, false);
                    }
                }
                Ok(None) if ended => return (items, false),
                Ok(None) => break,
                Err(_) => return (items, true),
            }
        }
    }
}
