//! Deadlines that count only against the peer: input that arrived in time is read before a deadline counts.

use std::{pin::pin, time::Duration};

use tokio::time::{Instant, sleep, sleep_until};

/// A timer that fires this late shows that the process did not run: it was suspended, or had no processor.
const LATE: Duration = Duration::from_millis(50);
/// The longest second look.
const MAX_LOOK: Duration = Duration::from_secs(1);

/// How long to look at the sockets once more before a deadline counts that is noticed at `now`. `None`: it is noticed
/// in time.
pub(super) fn second_look(deadline: Instant, now: Instant) -> Option<Duration> {
    let late = now.saturating_duration_since(deadline);
    (late > LATE).then(|| late.min(MAX_LOOK))
}

/// Runs a future with a time limit. `None`: it took longer.
pub(super) async fn within<T>(limit: Option<Duration>, future: impl Future<Output = T>) -> Option<T> {
    // A limit beyond the clock is no limit.
    let Some(deadline) = limit.and_then(|limit| Instant::now().checked_add(limit)) else { return Some(future.await) };
    let mut future = pin!(future);
    tokio::select! {
        biased;
        done = &mut future => return Some(done),
        () = sleep_until(deadline) => {}
    }
    let look = second_look(deadline, Instant::now())?;
    tokio::select! {
        biased;
        done = future => Some(done),
        () = sleep(look) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_limit_is_exact() {
        let start = Instant::now();
        assert_eq!(within(Some(Duration::from_secs(10)), pending::<()>()).await, None);
        assert_eq!(start.elapsed(), Duration::from_secs(10));
        for limit in [None, Some(Duration::MAX)] {
            let slow = sleep(Duration::from_secs(1_000_000));
            assert_eq!(within(limit, slow).await, Some(()));
        }
    }

    /// The process is suspended past the deadline, and reads what the peer had sent after that.
    #[tokio::test(start_paused = true)]
    async fn a_late_timer_leaves_time_to_read_input() {
        let (limit, suspended) = (Duration::from_secs(10), Duration::from_secs(20));
        for (read_after, expected) in [(500, Some(())), (2_000, None)] {
            let reading = within(Some(limit), async {
                // The clock jumps, as it does for a suspended process.
                tokio::time::advance(suspended).await;
                sleep(Duration::from_millis(read_after)).await;
            });
            assert_eq!(reading.await, expected, "{read_after} ms");
        }
    }
}
