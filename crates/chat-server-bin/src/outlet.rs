//! Writes to a standard stream from a separate thread, so that no task waits for a slow reader. Counts lost records.

use std::{
    collections::VecDeque,
    io, mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use super::stream::Stream;

/// Maximum number of queued records. Others are lost: peers cause records, so logging must neither block nor use unbounded
/// memory.
const MAX_QUEUED_RECORDS: usize = 4_096;
/// Maximum total size of the queued records, in bytes.
const MAX_QUEUED_BYTES: usize = 4 << 20;
/// Maximum size of a write with several records, in bytes. A pipe accepts a write of this size as a whole, even if it has
/// other writers.
const MAX_WRITE_BYTES: usize = 4_096;
/// Pause after a write, in which more records arrive.
const WRITE_PAUSE: Duration = Duration::from_millis(5);
/// Time that [`Outlet::flush`] waits for the queued records, before and after it enlarges the pipe.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(500);

/// A handle to the writing thread. Clones share the thread.
#[derive(Clone)]
pub(super) struct Outlet {
    shared: Arc<Shared>,
}

struct Shared {
    stream: Stream,
    queue: Mutex<Queue>,
    /// Notified after a record is queued and after a write.
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    records: VecDeque<Vec<u8>>,
    /// Number of records that the thread has taken but not written.
    taken: usize,
    /// Total size of the queued and the taken records.
    bytes: usize,
    /// Number of lost records that are not reported yet.
    lost: u64,
    /// Records were lost because the queue was full. The thread reports them even if no record follows.
    must_report: bool,
    /// The thread is writing the records that it has taken.
    is_writing: bool,
}

impl Outlet {
    /// Starts the thread. `format_loss_report` formats the record that reports the number of lost records. An empty record
    /// is not written.
    pub(super) fn new(stream: Stream, format_loss_report: impl Fn(u64) -> Vec<u8> + Send + 'static) -> Self {
        let shared = Arc::new(Shared { stream, queue: Mutex::default(), changed: Condvar::new() });
        let outlet = Self { shared: Arc::clone(&shared) };
        thread::spawn(move || shared.write_all(format_loss_report));
        outlet
    }

    /// Queues a record. Returns `false` if the queue is full. The record is then counted as lost.
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

    /// Waits until all records are written and all losses are reported, with a timeout.
    pub(super) fn flush(&self) {
        if !self.shared.wait_until_written(FLUSH_TIMEOUT) {
            // The reader may start to read only after the end of this process. A larger pipe may hold all records.
            self.shared.stream.enlarge_pipe();
            self.shared.wait_until_written(FLUSH_TIMEOUT);
        }
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes records until the process ends. Records that the stream does not accept are lost.
    fn write_all(&self, format_loss_report: impl Fn(u64) -> Vec<u8>) {
        let mut buffer = WriteBuffer::default();
        loop {
            let (records, lost) = self.take();
            let mut unwritten = buffer.write(&self.stream, records, |records, bytes| {
                let mut queue = self.queue();
                queue.taken -= records;
                queue.bytes -= bytes;
            });
            if lost + unwritten > 0 {
                let report = format_loss_report(lost + unwritten);
                let is_reported = report.is_empty() || buffer.write(&self.stream, [report], |_, _| {}) == 0;
                unwritten = if is_reported { 0 } else { lost + unwritten };
            }
            let mut queue = self.queue();
            queue.lost += unwritten;
            queue.is_writing = false;
            drop(queue);
            self.changed.notify_all();
            thread::sleep(WRITE_PAUSE);
        }
    }

    /// Waits for records. Takes all of them, and the number of lost records. A loss whose report could not be written is
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

    /// Returns `false` after the timeout.
    fn wait_until_written(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
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
struct WriteBuffer {
    text: Vec<u8>,
    /// The offset in `text` at which each record ends.
    ends: Vec<usize>,
    /// `text` begins with the rest of a record that is partly written.
    is_partly_written: bool,
}

impl WriteBuffer {
    /// Writes the records, and returns how many are lost. A record that is partly written is not lost: the next call writes
    /// its rest first. Calls `on_finished` with the number of finished records and of their bytes.
    fn write(
        &mut self,
        stream: &Stream,
        records: impl IntoIterator<Item = Vec<u8>>,
        on_finished: impl Fn(usize, usize),
    ) -> u64 {
        let (mut lost, mut count, mut bytes) = (0, 0, 0);
        for record in records {
            if !self.text.is_empty() && self.text.len() + record.len() > MAX_WRITE_BYTES {
                lost += self.write_out(|text| stream.write(text), || stream.wait());
                on_finished(mem::take(&mut count), mem::take(&mut bytes));
            }
            self.text.extend_from_slice(&record);
            self.ends.push(self.text.len());
            count += 1;
            bytes += record.len();
        }
        lost += self.write_out(|text| stream.write(text), || stream.wait());
        on_finished(count, bytes);
        lost
    }

    /// Writes `text`, and returns how many records are lost. Keeps the rest of a record that is partly written.
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
        let finished = self.ends.iter().take_while(|end| **end <= written).count();
        let next_start = finished.checked_sub(1).map_or(0, |last| self.ends[last]);
        self.is_partly_written =
            finished < self.ends.len() && (written > next_start || (self.is_partly_written && finished == 0));
        let kept = if self.is_partly_written { written..self.ends[finished] } else { 0..0 };
        let lost = self.ends.len() - finished - usize::from(self.is_partly_written);
        self.text.copy_within(kept.clone(), 0);
        self.text.truncate(kept.len());
        self.ends.clear();
        self.ends.extend(self.is_partly_written.then_some(kept.len()));
        lost as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes four records of four bytes to a disk whose free space is too small at first.
    #[test]
    fn each_record_is_written_whole_or_counted_as_lost() {
        for space in 0..=16_usize {
            let (mut disk, mut free) = (Vec::new(), space);
            let mut buffer = WriteBuffer::default();
            for record in ["aaa\n", "bbb\n", "ccc\n", "ddd\n"] {
                buffer.text.extend_from_slice(record.as_bytes());
                buffer.ends.push(buffer.text.len());
            }
            let mut store = |buffer: &mut WriteBuffer, more: usize| {
                free += more;
                let write = |text: &[u8]| {
                    // A write accepts at most three bytes.
                    let accepted = text.len().min(free).min(3);
                    disk.extend_from_slice(&text[..accepted]);
                    free -= accepted;
                    if accepted > 0 { Ok(accepted) } else { Err(io::ErrorKind::StorageFull.into()) }
                };
                buffer.write_out(write, || {})
            };
            let mut lost = store(&mut buffer, 0);
            // The disk is still full, and later has space.
            lost += store(&mut buffer, 0);
            lost += store(&mut buffer, 100);
            let lines = disk.split(|byte| *byte == b'\n').count() as u64 - 1;
            assert_eq!(lines + lost, 4, "space for {space}");
            assert!(disk.len() % 4 == 0 && buffer.text.is_empty() && buffer.ends.is_empty());
        }
    }
}
