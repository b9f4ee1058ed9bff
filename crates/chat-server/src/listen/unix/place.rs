//! The path of a Unix socket. Another file may take its place at any moment. Therefore checks and changes happen under
//! a lock, and a file is removed only if its device and inode match.

use std::{
    fs::{self, File, Metadata},
    io,
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use rustix::{
    fs::{FlockOperation, Mode, OFlags, flock, link, open},
    io::Errno,
};
use socket2::{Domain, SockAddr, Socket, Type};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 4_096;

/// Identifies a file, whatever its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    /// The identity of the file at the path. Symbolic links are not followed.
    fn at(path: &Path) -> io::Result<Self> {
        fs::symlink_metadata(path).map(|metadata| Self::of(&metadata))
    }
}

/// Listens at the path, and replaces a stale socket. Returns the identity of the new one, too.
pub(super) fn listen_at(path: &Path, mode: Option<u32>) -> io::Result<(Socket, Identity)> {
    // Between `bind` and `listen` a socket refuses connections, and looks stale to other servers.
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
        // No peer can connect before this.
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)
    })();
    if let Err(error) = listening {
        remove(path, identity);
        return Err(error);
    }
    Ok((socket, identity))
}

/// Removes the file at the path if it is still this one. It must still be open: the system reuses the inode of a file
/// that is gone.
pub(super) fn remove(path: &Path, identity: Identity) {
    if Identity::at(path).is_ok_and(|there| there == identity) {
        // Already gone: fine.
        let _ = fs::remove_file(path);
    }
}

/// Removes a stale socket. The error says what else is there.
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

/// Whether a server listens. It never blocks: a full backlog also means that a server listens.
fn is_served(address: &SockAddr) -> io::Result<bool> {
    let probe = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    probe.set_nonblocking(true)?;
    let refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    Ok(!probe.connect(address).is_err_and(refused))
}

/// A lock on a path, held by one process or thread at a time: a file named as the path with `.lock` appended.
///
/// It is held only while the path is being bound. A listening server needs none, because others can tell that it
/// listens; and a socket that was moved away must not block its old path.
struct Lock {
    path: PathBuf,
    file: File,
    /// Whether this created the file. A file that existed before is kept.
    is_ours: bool,
}

impl Lock {
    /// # Errors
    ///
    /// `AddrInUse` if another holds it, and so is about to listen at the path.
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
            // Its last holder may have removed the file between opening and locking: then the lock is void.
            let held = Identity::of(&lock.file.metadata()?);
            match Identity::at(&lock.path) {
                Ok(there) if there == held => return Ok(lock),
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }

    /// Opens the file, and tells whether it was created. `None`: it appeared or vanished meanwhile.
    fn open(path: &Path) -> io::Result<Option<(File, bool)>> {
        // A FIFO of this name must not block, and a link must not be followed.
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        // A new file is locked before it has its name: else another could lock it first, and the one that created it would
        // not know that it must not remove it.
        let unnamed = Self::unnamed(path);
        let file = open(&unnamed, flags | OFlags::CREATE | OFlags::EXCL, Mode::RUSR | Mode::WUSR)?;
        let named = flock(&file, FlockOperation::NonBlockingLockExclusive).and_then(|()| link(&unnamed, path));
        fs::remove_file(&unnamed)?;
        match named {
            Ok(()) => return Ok(Some((file.into(), true))),
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

impl Lock {
    /// A name beside the path that no other thread or process uses.
    fn unnamed(path: &Path) -> PathBuf {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
        name.into()
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The lock is held until the file is closed, after this. Another process that has opened the file sees that it
        // is gone, and creates a new one.
        if self.is_ours
            && let Ok(metadata) = self.file.metadata()
        {
            remove(&self.path, Identity::of(&metadata));
        }
    }
}
