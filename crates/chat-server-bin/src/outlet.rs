//! Writes to a standard stream from a thread of its own, so that no task waits for a slow reader. Counts records that
//! are lost.

use std::{
    collections::VecDeque,
    io, mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use super::stream::Stream;

/// Maximum number of queued records. Peers cause records, so a full queue drops further ones: it must not block.
const MAX_QUEUED_RECORDS: usize = 4_096;
/// Maximum number of bytes of queued records, because a record may be long.
const MAX_QUEUED_BYTES: usize = 4 << 20;
/// Maximum number of bytes per write. A pipe takes this many bytes in one piece, even if it has other writers.
const MAX_BATCH_BYTES: usize = 4_096;
/// Pause after a write, in which further records are collected.
const WRITE_PAUSE: Duration = Duration::from_millis(5);
/// Time that [`Outlet::flush`] waits for queued records, and again after it has enlarged the pipe.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(500);

/// A handle to the writing thread. Clones share the thread.
#[derive(Clone)]
pub(super) struct Outlet {
    shared: Arc<Shared>,
}

struct Shared {
    stream: Stream,
    queue: Mutex<Queue>,
    /// Notified when a record is queued and when a write is finished.
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    records: VecDeque<Vec<u8>>,
    /// Number of records that the thread has taken and not yet written.
    taken: usize,
    /// Number of bytes of the queued and the taken records.
    bytes: usize,
    /// Number of lost records that are not reported yet.
    lost: u64,
    /// Records were dropped because the queue was full. The thread reports them even if no record follows.
    must_report: bool,
    /// The thread has not finished writing what it took.
    is_writing: bool,
}

impl Outlet {
    /// Starts the thread. `report_lost` formats the record that says how many were lost. An empty record is not
    /// written.
    pub(super) fn new(stream: Stream, report_lost: impl Fn(u64) -> Vec<u8> + Send + 'static) -> Self {
        let shared = Arc::new(Shared { stream, queue: Mutex::default(), changed: Condvar::new() });
        let outlet = Self { shared: Arc::clone(&shared) };
        thread::spawn(move || shared.write_all(report_lost));
        outlet
    }

    /// Queues a record. Returns `false` if the queue is full; the record then counts as lost.
    pub(super) fn push(&self, record: Vec<u8>) -> bool {
        let mut queue = self.shared.queue();
        if queue.records.len() + queue.taken >= MAX_QUEUED_RECORDS || queue.bytes + record.len() > MAX_QUEUED_BYTES {
            queue.lost += 1;
            queue.must_report = true;
            return false;
        }
        queue.bytes += record.len();
        queue.records.push_back(record);
        self.shared.changed.notify_all();
        true
    }

    /// Waits until all records are written and all losses reported, up to a timeout.
    pub(super) fn flush(&self) {
        if !self.shared.is_done_within(FLUSH_TIMEOUT) {
            // The reader may be waiting for the end of this process. A larger pipe may hold everything.
            self.shared.stream.enlarge_pipe();
            self.shared.is_done_within(FLUSH_TIMEOUT);
        }
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes records until the process ends. If the stream is closed or its disk is full, the records are lost.
    fn write_all(&self, report_lost: impl Fn(u64) -> Vec<u8>) {
        let mut batch = Batch::default();
        loop {
            let (records, lost) = self.take();
            let mut unwritten = batch.write(&self.stream, records, |records, bytes| {
                let mut queue = self.queue();
                queue.taken -= records;
                queue.bytes -= bytes;
            });
            if lost + unwritten > 0 {
                let record = report_lost(lost + unwritten);
                let reported = record.is_empty() || batch.write(&self.stream, [record], |_, _| {}) == 0;
                unwritten = if reported { 0 } else { lost + unwritten };
            }
            let mut queue = self.queue();
            queue.lost += unwritten;
            queue.is_writing = false;
            drop(queue);
            self.changed.notify_all();
            thread::sleep(WRITE_PAUSE);
        }
    }

    /// Waits for records, and takes all of them and the number of lost ones. If a loss could not be reported, it is
    /// reported with the next record.
    fn take(&self) -> (VecDeque<Vec<u8>>, u64) {
        let mut queue = self.queue();
        while queue.records.is_empty() && !queue.must_report {
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        queue.is_writing = true;
        queue.must_report = false;
        queue.taken = queue.records.len();
        (mem::take(&mut queue.records), mem::take(&mut queue.lost))
    }

    fn is_done_within(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        let mut queue = self.queue();
        while queue.is_writing || queue.must_report || !queue.records.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            (queue, _) = self.changed.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner);
        }
        true
    }
}

/// Records that are written together.
#[derive(Default)]
struct Batch {
    text: Vec<u8>,
    /// Where each record ends in `text`.
    ends: Vec<usize>,
    /// A part of the first record has been written.
    is_begun: bool,
}

impl Batch {
    /// Writes the records, and returns how many were lost. A record that was written in part is not lost: the next call
    /// writes its rest first. Calls `done` with the number of finished records and of their bytes.
    fn write(
        &mut self,
        stream: &Stream,
        records: impl IntoIterator<Item = Vec<u8>>,
        done: impl Fn(usize, usize),
    ) -> u64 {
        let (mut lost, mut count, mut bytes) = (0, 0, 0);
        for record in records {
            if !self.text.is_empty() && self.text.len() + record.len() > MAX_BATCH_BYTES {
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

    /// Writes `text`, and returns how many records were lost. Keeps the rest of a record that was written in part.
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

    /// Writes four records of four bytes each to a disk that has space for some bytes, and later for more.
    #[test]
    fn each_record_is_written_whole_or_counted_as_lost() {
        for space in 0..=16_usize {
            let (mut disk, mut free) = (Vec::new(), space);
            let mut batch = Batch::default();
            for record in ["aaa\n", "bbb\n", "ccc\n", "ddd\n"] {
                batch.text.extend_from_slice(record.as_bytes());
                batch.ends.push(batch.text.len());
            }
            let mut store = |batch: &mut Batch, more: usize| {
                free += more;
                let write = |text: &[u8]| {
                    // A write may accept only a part.
                    let taken = text.len().min(free).min(3);
                    disk.extend_from_slice(&text[..taken]);
                    free -= taken;
                    if taken > 0 { Ok(taken) } else { Err(io::ErrorKind::StorageFull.into()) }
                };
                batch.write_out(write, || {})
            };
            let mut lost = store(&mut batch, 0);
            // The disk is still full, and later has space.
            lost += store(&mut batch, 0);
            lost += store(&mut batch, 100);
            let lines = disk.split(|byte| *byte == b'\n').count() as u64 - 1;
            assert_eq!(lines + lost, 4, "space for {space}");
            assert!(disk.len() % 4 == 0 && batch.text.is_empty() && batch.ends.is_empty());
        }
    }
}
