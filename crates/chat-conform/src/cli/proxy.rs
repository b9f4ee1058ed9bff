//! The command `chat-conform proxy`.

use std::{fs::File, io::Write, path::Path, time::Duration};

use tokio::net::TcpListener;

use super::{Exit, args::Proxy, output};
use crate::{
    proxy::{self, Observer, Recorder, Shape},
    text_file,
};

/// Bytes reserved for the heading of the saved case.
const MAX_HEADING: usize = 1_024;

pub(super) async fn run(args: &Proxy) -> Result<Exit, String> {
    let (listen, to) = (output::with_default_host(&args.listen), output::with_default_host(&args.to));
    let listener = TcpListener::bind(&listen).await.map_err(|error| {
        format!("cannot listen on {listen}: {error}: choose another address with --listen, as in :3333")
    })?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let file = args.save.as_deref().map(create_case_file).transpose()?;
    let console = Console { file, bytes_left: text_file::MAX_FILE_BYTES - MAX_HEADING };
    output::line(&format!("listening on {address}"));
    let shape = Shape::new(args.split, Duration::from_millis(args.delay), Duration::from_millis(args.coalesce));
    let running = proxy::run(listener, &to, shape, args.connections, console);
    tokio::select! {
        result = running => result.map_err(|error| error.to_string())?,
        // Ctrl-C is the usual way to stop the proxy, and no failure.
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(Exit::Passed)
}

/// Creates the file and writes the heading of the case.
fn create_case_file(path: &Path) -> Result<File, String> {
    let name: String =
        path.file_stem().unwrap_or_default().to_string_lossy().chars().map(letter_digit_or_dash).collect();
    let file = File::create(path).and_then(|mut file| {
        file.write_all(Recorder::heading(&format!("saved-{name}")).as_bytes())?;
        Ok(file)
    });
    file.map_err(|error| format!("cannot write {}: {error}", path.display()))
}

/// Replaces characters that a case name should not have with `-`.
fn letter_digit_or_dash(c: char) -> char {
    if c.is_ascii_alphanumeric() { c } else { '-' }
}

/// Prints lines on standard output, and saves steps if there is a file.
struct Console {
    file: Option<File>,
    /// How many more bytes may be saved. `--cases` does not read larger files.
    bytes_left: usize,
}

impl Observer for Console {
    fn print(&mut self, line: &str) {
        output::line(line);
    }

    fn save(&mut self, step: &str) {
        let Some(file) = &mut self.file else { return };
        let saved = match self.bytes_left.checked_sub(step.len() + 1) {
            Some(bytes_left) => {
                self.bytes_left = bytes_left;
                writeln!(file, "{step}").map_err(|error| error.to_string())
            }
            None => Err("the file has reached the size limit".to_owned()),
        };
        if let Err(error) = saved {
            output::error_line(&format!("the traffic is no longer saved: {error}"));
            self.file = None;
        }
    }
}
