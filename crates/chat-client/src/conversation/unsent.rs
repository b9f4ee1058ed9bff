//! Counts the lines of the input that a conversation leaves unsent.

use std::{pin::Pin, time::Duration};

use futures::{Stream, StreamExt};
use tokio::time::{Instant, timeout, timeout_at};

use super::{Input, InputError};

/// Time to count in all.
const LIMIT: Duration = Duration::from_secs(1);
/// The input has nothing more at the moment if no line comes for this long.
const QUIET: Duration = Duration::from_millis(100);

/// A number of lines, and whether there may be more.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Unsent {
    pub(super) count: u64,
    pub(super) may_be_more: bool,
}

/// Whether this line would have been a message.
pub(super) fn is_message(line: &Result<Input, InputError>) -> bool {
    matches!(
        line,
        Ok(Input::Say(_) | Input::InvalidText(_) | Input::Malformed(_))
            | Err(InputError::TooLong | InputError::NotUtf8)
    )
}

/// Counts what the input has at the moment.
pub(super) async fn count(mut input: Pin<&mut impl Stream<Item = Result<Input, InputError>>>) -> Unsent {
    let limit = Instant::now() + LIMIT;
    let mut unsent = Unsent::default();
    loop {
        match timeout_at(limit, timeout(QUIET, input.next())).await {
            Ok(Ok(Some(line))) => unsent.count += u64::from(is_message(&line)),
            Ok(Ok(None) | Err(_)) => return unsent,
            Err(_) => return Unsent { may_be_more: true, ..unsent },
        }
        // A stream that is always ready would not let the time limit ring.
        if Instant::now() >= limit {
            return Unsent { may_be_more: true, ..unsent };
        }
    }
}
