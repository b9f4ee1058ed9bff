//! A standard stream to write to, from a thread of its own: nobody waits for who reads it, and what is lost is counted.

use std::{
    collections::VecDeque,
    io, mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use super::stream::Stream;

/// Records that may wait to be written. Peers cause records: while nobody reads, the next ones are lost, and nobody waits.
const WAITING: usize = 4_096;
/// And the bytes of all of them: one record may be long.
const WAITING_BYTES: usize = 4 << 20;
/// Bytes at which a write is large enough: a pipe takes so many whole, whoever else writes to it.
const AT_ONCE: usize = 4_096;
/// After records were written, the next ones gather for so long: one write, and one waking up, for all of them.
const GATHERING: Duration = Duration::from_millis(5);
/// How long the end of the program waits for what is waiting; and again, once it has tried to make room.
const AT_THE_END: Duration = Duration::from_millis(500);

/// The way to the thread. Clones lead to the same.
#[derive(Clone)]
pub(super) struct Outlet {
    shared: Arc<Shared>,
}

struct Shared {
    stream: Stream,
    queue: Mutex<Queue>,
    /// Something waits to be written, or all has been.
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    records: VecDeque<Vec<u8>>,
    /// Records that were taken, and are being written.
    taken: usize,
    /// Of all these.
    bytes: usize,
    /// Records that were not written, and of which nothing was told yet.
    lost: u64,
    /// Some of them had no room: where the others are written, these can be told.
    is_to_tell: bool,
    /// What was taken is not written yet.
    is_writing: bool,
}

impl Outlet {
    /// Starts the thread. `tell` makes the record that says how many were lost, which goes out before the next ones; an empty
    /// one says nothing.
    pub(super) fn new(stream: Stream, tell: impl Fn(u64) -> Vec<u8> + Send + 'static) -> Self {
        let shared = Arc::new(Shared { stream, queue: Mutex::default(), changed: Condvar::new() });
        let outlet = Self { shared: Arc::clone(&shared) };
        thread::spawn(move || shared.write_all(tell));
        outlet
    }

    /// Hands a record over. `false`: there is no room, and it counts as lost.
    pub(super) fn push(&self, record: Vec<u8>) -> bool {
        let mut queue = self.shared.queue();
        if queue.records.len() + queue.taken >= WAITING || queue.bytes + record.len() > WAITING_BYTES {
            queue.lost += 1;
            queue.is_to_tell = true;
            return false;
        }
        queue.bytes += record.len();
        queue.records.push_back(record);
        self.shared.changed.notify_all();
        true
    }

    /// Waits until all is written and told, but not for ever.
    pub(super) fn flush(&self) {
        if !self.shared.is_done_within(AT_THE_END) {
            // Whoever reads it may only do so when we are gone.
            self.shared.stream.make_room();
            self.shared.is_done_within(AT_THE_END);
        }
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A stream that is closed, on a full disk, or read by nobody loses what it is given and nothing else.
    fn write_all(&self, tell: impl Fn(u64) -> Vec<u8>) {
        let mut batch = Batch::default();
        loop {
            let (records, lost) = self.take();
            let mut unwritten = batch.write(&self.stream, records, |records, bytes| {
                let mut queue = self.queue();
                queue.taken -= records;
                queue.bytes -= bytes;
            });
            if lost + unwritten > 0 {
                let record = tell(lost + unwritten);
                let told = record.is_empty() || batch.write(&self.stream, [record], |_, _| {}) == 0;
                unwritten = if told { 0 } else { lost + unwritten };
            }
            let mut queue = self.queue();
            queue.lost += unwritten;
            queue.is_writing = false;
            drop(queue);
            self.changed.notify_all();
            thread::sleep(GATHERING);
        }
    }

    /// All that waits, once something does. What could not be written, and so not be told, waits for the next record.
    fn take(&self) -> (VecDeque<Vec<u8>>, u64) {
        let mut queue = self.queue();
        while queue.records.is_empty() && !queue.is_to_tell {
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        queue.is_writing = true;
        queue.is_to_tell = false;
        queue.taken = queue.records.len();
        (mem::take(&mut queue.records), mem::take(&mut queue.lost))
    }

    fn is_done_within(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        let mut queue = self.queue();
        while queue.is_writing || queue.is_to_tell || !queue.records.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            (queue, _) = self.changed.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner);
        }
        true
    }
}

/// What is written at once.
#[derive(Default)]
struct Batch {
    text: Vec<u8>,
    /// Where records end in it.
    ends: Vec<usize>,
    /// A part of the first one has been written.
    is_begun: bool,
}

impl Batch {
    /// Writes all of them; how many are lost. One of which a part is written is never lost: the rest of it goes first the next
    /// time. `done` is told of those that are dealt with, and of their bytes.
    fn write(
        &mut self,
        stream: &Stream,
        records: impl IntoIterator<Item = Vec<u8>>,
        done: impl Fn(usize, usize),
    ) -> u64 {
        let (mut lost, mut count, mut bytes) = (0, 0, 0);
        for record in records {
            if !self.text.is_empty() && self.text.len() + record.len() > AT_ONCE {
                lost += self.write_out(|text| stream.write(text), || stream.wait());
                done(mem::take(&mut count), mem::take(&mut bytes));
            }
            self.text.extend_from_slice(&record);
            self.ends.push(self.text.len());
            count += 1;
            bytes += record.len();
        }
        lost += self.write_out(|text| stream.write(text), || stream.wait());
        done(count, bytes);
        lost
    }

    fn write_out(&mut self, mut write: impl FnMut(&[u8]) -> io::Result<usize>, wait: impl Fn()) -> u64 {
        let mut written = 0;
        while written < self.text.len() {
            match write(&self.text[written..]) {
                Ok(0) => break,
                Ok(more) => written += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => wait(),
                Err(_) => break,
            }
        }
        let done = self.ends.iter().take_while(|end| **end <= written).count();
        let begin = done.checked_sub(1).map_or(0, |last| self.ends[last]);
        self.is_begun = done < self.ends.len() && (written > begin || (self.is_begun && done == 0));
        let kept = if self.is_begun { written..self.ends[done] } else { 0..0 };
        let lost = self.ends.len() - done - usize::from(self.is_begun);
        self.text.copy_within(kept.clone(), 0);
        self.text.truncate(kept.len());
        self.ends.clear();
        self.ends.extend(self.is_begun.then_some(kept.len()));
        lost as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four records of four bytes, to a disk that has room for so many bytes, and later for more.
    #[test]
    fn each_record_is_written_whole_or_counted_as_lost() {
        for room in 0..=16_usize {
            let (mut disk, mut free) = (Vec::new(), room);
            let mut batch = Batch::default();
            for record in ["aaa\n", "bbb\n", "ccc\n", "ddd\n"] {
                batch.text.extend_from_slice(record.as_bytes());
                batch.ends.push(batch.text.len());
            }
            let mut store = |batch: &mut Batch, more: usize| {
                free += more;
                let write = |text: &[u8]| {
                    // Three at a time, as a stream may.
                    let taken = text.len().min(free).min(3);
                    disk.extend_from_slice(&text[..taken]);
                    free -= taken;
                    if taken > 0 { Ok(taken) } else { Err(io::ErrorKind::StorageFull.into()) }
                };
                batch.write_out(write, || {})
            };
            let mut lost = store(&mut batch, 0);
            // Still full, then not.
            lost += store(&mut batch, 0);
            lost += store(&mut batch, 100);
            let lines = disk.split(|byte| *byte == b'\n').count() as u64 - 1;
            assert_eq!(lines + lost, 4, "room for {room}");
            assert!(disk.len() % 4 == 0 && batch.text.is_empty() && batch.ends.is_empty());
        }
    }
}
