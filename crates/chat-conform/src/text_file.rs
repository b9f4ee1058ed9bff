//! Reads the text files that the user names, up to a limit. Without it, `/dev/zero` would fill the memory.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// The largest file that is read, in bytes.
pub(crate) const MAX_FILE_BYTES: usize = 16 * 1024 * 1024;

/// The text of the file.
///
/// # Errors
///
/// The file cannot be read, is not UTF-8, or is larger than [`MAX_FILE_BYTES`].
pub(crate) fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    if File::open(path)?.take(MAX_FILE_BYTES as u64 + 1).read_to_string(&mut text)? > MAX_FILE_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {MAX_FILE_BYTES} bytes")));
    }
    Ok(text)
}
