//! Reads the files that somebody names: whole, and up to a limit, since `/dev/zero` is a file too.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// Larger files are refused: nobody writes so many cases, names or servers.
pub(crate) const MOST_READ: usize = 16 * 1024 * 1024;

/// The text of a file of [`MOST_READ`] bytes at most.
pub(crate) fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    if File::open(path)?.take(MOST_READ as u64 + 1).read_to_string(&mut text)? > MOST_READ {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {MOST_READ} bytes")));
    }
    Ok(text)
}
