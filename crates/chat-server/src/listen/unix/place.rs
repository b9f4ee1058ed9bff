//! The place of a Unix socket in the file system. A path is only a name, under which there may be another thing a moment
//! later: so whoever looks and then acts holds a lock, and what is removed is known by its device and inode.

use std::{
    fs::{self, File, Metadata},
    io,
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{FlockOperation, Mode, OFlags, flock, open},
    io::Errno,
};
use socket2::{Domain, SockAddr, Socket, Type};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 4_096;

/// A file, whatever it is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    /// Of what is there now: a symbolic link is itself, not what it points to.
    fn at(path: &Path) -> io::Result<Self> {
        fs::symlink_metadata(path).map(|metadata| Self::of(&metadata))
    }
}

/// Listens at the path, in place of a socket that nobody serves; and what stands there now.
pub(super) fn listen_at(path: &Path, mode: Option<u32>) -> io::Result<(Socket, Identity)> {
    // Between `bind` and `listen` a socket refuses connections, as one does that nobody serves.
    let _lock = Lock::beside(path)?;
    let address = SockAddr::unix(path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    match socket.bind(&address) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            remove_stale(path, &address)?;
            socket.bind(&address)?;
        }
        bound => bound?,
    }
    let identity = Identity::at(path)?;
    let listening = (|| {
        if let Some(mode) = mode {
            fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
        }
        // Nobody could connect up to here.
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)
    })();
    if let Err(error) = listening {
        remove(path, identity);
        return Err(error);
    }
    Ok((socket, identity))
}

/// Removes what is at the path if it is still this one. It must still be open somewhere: the numbers of a file that is gone
/// are given to others.
pub(super) fn remove(path: &Path, identity: Identity) {
    if Identity::at(path).is_ok_and(|there| there == identity) {
        // If it is gone meanwhile, that is as well.
        let _ = fs::remove_file(path);
    }
}

/// Removes a socket that nobody serves; an error says what else is there.
fn remove_stale(path: &Path, address: &SockAddr) -> io::Result<()> {
    let there = match fs::symlink_metadata(path) {
        Ok(there) => there,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !there.file_type().is_socket() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "something that is no socket is there"));
    }
    if is_served(address)? {
        return Err(io::ErrorKind::AddrInUse.into());
    }
    remove(path, Identity::of(&there));
    Ok(())
}

/// Whether somebody listens, by the system's word. It never waits: where too many wait to be accepted, somebody is to
/// accept them.
fn is_served(address: &SockAddr) -> io::Result<bool> {
    let probe = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    probe.set_nonblocking(true)?;
    let refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    Ok(!probe.connect(address).is_err_and(refused))
}

/// A lock on a path, held by one process or thread at a time: a file beside it, called as it is and `.lock`.
///
/// It is held only while the path is taken. Who is listening needs none, for the system tells that somebody does; and a
/// socket that was moved away does not keep its old path.
struct Lock {
    path: PathBuf,
    file: File,
    /// A file that was there before is somebody's, and stays.
    is_ours: bool,
}

impl Lock {
    /// # Errors
    ///
    /// `AddrInUse` if another holds it, and so is about to listen there.
    fn beside(path: &Path) -> io::Result<Self> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".lock");
        let path = PathBuf::from(beside);
        loop {
            let Some((file, is_ours)) = Self::open(&path)? else { continue };
            let lock = Self { path: path.clone(), file, is_ours };
            match flock(&lock.file, FlockOperation::NonBlockingLockExclusive) {
                Err(Errno::WOULDBLOCK) => return Err(io::ErrorKind::AddrInUse.into()),
                locked => locked?,
            }
            // Its last holder may have removed it between opening and locking: then it locks nothing.
            let held = Identity::of(&lock.file.metadata()?);
            match Identity::at(&lock.path) {
                Ok(there) if there == held => return Ok(lock),
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }

    /// The file, and whether it was made; `None` if it came or went meanwhile.
    fn open(path: &Path) -> io::Result<Option<(File, bool)>> {
        // A FIFO of this name must not make it wait, nor a link lead it elsewhere.
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        match open(path, flags | OFlags::CREATE | OFlags::EXCL, Mode::RUSR | Mode::WUSR) {
            Ok(file) => return Ok(Some((file.into(), true))),
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        match open(path, flags, Mode::empty()) {
            Ok(file) => Ok(Some((file.into(), false))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Held until the file is closed, after this: who has opened it meanwhile sees that it is gone, and makes another.
        if self.is_ours
            && let Ok(metadata) = self.file.metadata()
        {
            remove(&self.path, Identity::of(&metadata));
        }
    }
}
