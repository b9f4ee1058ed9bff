//! Lines with hard limits, around `LinesCodec`: what it reports as errors of the stream becomes an item of it.

use bytes::BytesMut;
use tokio_util::codec::{Decoder, LinesCodec, LinesCodecError};

use crate::{CodecError, Fault, MAX_LINE, MAX_UNTERMINATED, ParseError, Terminator};

/// Splits bytes into lines (section 1).
#[derive(Debug)]
pub(super) struct LineDecoder {
    lines: LinesCodec,
    /// Bytes of a line that is too long, as far as they have been thrown away.
    discarded: Option<usize>,
}

/// A line and what ended it.
pub(super) type Line = (String, Terminator);

impl LineDecoder {
    pub(super) fn new() -> Self {
        // LinesCodec counts a line without its LF.
        Self { lines: LinesCodec::new_with_max_length(MAX_LINE - 1), discarded: None }
    }

    pub(super) fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Result<Line, ParseError>>, CodecError> {
        let before = src.len() - self.still_discarded(src)?;
        match self.lines.decode(src) {
            Ok(None) => Ok(None),
            Ok(Some(line)) => {
                // LinesCodec does not say whether it took a CR away; one byte besides the line is the LF alone.
                let bare = before - src.len() == line.len() + 1;
                Ok(Some(Ok((line, if bare { Terminator::Lf } else { Terminator::CrLf }))))
            }
            Err(LinesCodecError::MaxLineLengthExceeded) => {
                self.discarded = Some(0);
                Ok(Some(Err(ParseError::new(Fault::TooLong, None))))
            }
            Err(LinesCodecError::Io(_)) => Ok(Some(Err(ParseError::new(Fault::NotUtf8, None)))),
        }
    }

    /// At the end of the stream: a last line without its LF is dropped (clause 1.7).
    pub(super) fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<Result<Line, ParseError>>, CodecError> {
        let line = self.decode(src)?;
        if line.is_none() {
            src.clear();
        }
        Ok(line)
    }

    /// How much of `src` belongs to a line that is too long. `LinesCodec` throws it away for as long as it takes;
    /// clause 1.4 does not.
    fn still_discarded(&mut self, src: &BytesMut) -> Result<usize, CodecError> {
        let Some(discarded) = self.discarded else { return Ok(0) };
        let end = src.iter().position(|&byte| byte == b'\n');
        let length = discarded + end.unwrap_or(src.len());
        if length >= MAX_UNTERMINATED {
            return Err(CodecError::Unterminated);
        }
        self.discarded = if end.is_none() { Some(length) } else { None };
        Ok(end.map_or(src.len(), |end| end + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8], chunk: usize) -> (Vec<Result<Line, Fault>>, bool) {
        let (mut decoder, mut src, mut lines) = (LineDecoder::new(), BytesMut::new(), Vec::new());
        for chunk in bytes.chunks(chunk) {
            src.extend_from_slice(chunk);
            loop {
                match decoder.decode(&mut src) {
                    Ok(Some(line)) => lines.push(line.map_err(|error| error.fault())),
                    Ok(None) => break,
                    Err(_) => return (lines, true),
                }
            }
        }
        (lines, false)
    }

    #[track_caller]
    fn check(bytes: &[u8], expected: &[Result<(&str, Terminator), Fault>], cut: bool) {
        let expected: Vec<_> = expected.iter().map(|line| line.map(|(line, end)| (line.to_owned(), end))).collect();
        for chunk in [1, 2, 7, 4_096, bytes.len()] {
            assert_eq!(decode(bytes, chunk), (expected.clone(), cut), "in chunks of {chunk}");
        }
    }

    #[test]
    fn terminators_are_told_apart() {
        let lines = [("a", Terminator::CrLf), ("b", Terminator::Lf), ("", Terminator::Lf), ("c\r", Terminator::CrLf)];
        check(b"a\r\nb\n\nc\r\r\nd", &lines.map(Ok), false);
    }

    #[test]
    fn the_longest_line_passes_and_one_byte_more_does_not() {
        let longest = "x".repeat(MAX_LINE - 1);
        check(format!("{longest}\n").as_bytes(), &[Ok((&longest, Terminator::Lf))], false);
        let after = Ok(("next", Terminator::CrLf));
        check(format!("{longest}\r\nnext\r\n").as_bytes(), &[Err(Fault::TooLong), after], false);
    }

    #[test]
    fn bytes_without_end_are_cut_at_the_limit() {
        let most = "x".repeat(MAX_UNTERMINATED - 1);
        check(format!("{most}\na\n").as_bytes(), &[Err(Fault::TooLong), Ok(("a", Terminator::Lf))], false);
        check(format!("{most}x\na\n").as_bytes(), &[Err(Fault::TooLong)], true);
    }

    #[test]
    fn a_line_that_is_not_utf8_costs_only_itself() {
        check(b"a\xff\nb\n", &[Err(Fault::NotUtf8), Ok(("b", Terminator::Lf))], false);
    }
}
