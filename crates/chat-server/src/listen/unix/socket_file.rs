//! The file of a Unix socket. Another file may replace it at any moment. Therefore checks and changes happen under a lock,
//! and a file is removed only if its device and inode match.

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

/// The most connections that wait to be accepted.
const BACKLOG: i32 = 4_096;

/// Identifies a file, even if it is renamed.
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

/// Listens at the path, and replaces a stale socket. Returns the new socket and the identity of its file.
pub(super) fn listen_at(path: &Path, mode: Option<u32>) -> io::Result<(Socket, Identity)> {
    // Between `bind` and `listen` a socket refuses connections, and looks stale to other servers.
    let _lock = Lock::acquire(path)?;
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

/// Removes the file at the path if it still has this identity. A server keeps its own file open until then, because the
/// system reuses the inodes of removed files.
pub(super) fn remove(path: &Path, identity: Identity) {
    if Identity::at(path).is_ok_and(|current| current == identity) {
        // Already gone: fine.
        let _ = fs::remove_file(path);
    }
}

/// Removes a stale socket. Fails if the path is no socket, or if a server listens.
fn remove_stale(path: &Path, address: &SockAddr) -> io::Result<()> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !metadata.file_type().is_socket() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "the file at this path is no socket"));
    }
    if is_served(address)? {
        return Err(io::ErrorKind::AddrInUse.into());
    }
    remove(path, Identity::of(&metadata));
    Ok(())
}

/// Whether a server listens at the address. Never blocks: a full backlog also means that a server listens.
fn is_served(address: &SockAddr) -> io::Result<bool> {
    let probe = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    probe.set_nonblocking(true)?;
    let refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    Ok(!probe.connect(address).is_err_and(refused))
}

/// A lock on a path, for one process or thread at a time. It is a file whose name is the path with `.lock` appended.
///
/// A server holds it only while it binds the path. After that, others see that the server listens. A lock that stayed
/// would also block the old path of a socket that was moved.
struct Lock {
    path: PathBuf,
    file: File,
    /// Whether this lock created the file. A file that existed before is kept.
    is_created: bool,
}

impl Lock {
    /// Locks the path. Fails with `AddrInUse` if another process or thread holds the lock, and so is about to listen.
    fn acquire(path: &Path) -> io::Result<Self> {
        let mut lock_path = path.as_os_str().to_owned();
        lock_path.push(".lock");
        let path = PathBuf::from(lock_path);
        loop {
            let Some((file, is_created)) = Self::open(&path)? else { continue };
            let lock = Self { path: path.clone(), file, is_created };
            match flock(&lock.file, FlockOperation::NonBlockingLockExclusive) {
                Err(Errno::WOULDBLOCK) => return Err(io::ErrorKind::AddrInUse.into()),
                locked => locked?,
            }
            // The last holder may have removed the file after this thread opened it. Such a lock is void.
            let held = Identity::of(&lock.file.metadata()?);
            match Identity::at(&lock.path) {
                Ok(current) if current == held => return Ok(lock),
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }

    /// Opens the file, and returns whether it was created. `None`: the file was created or removed meanwhile, so try again.
    fn open(path: &Path) -> io::Result<Option<(File, bool)>> {
        // A FIFO of this name must not block, and a link must not be followed.
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        // A new file is locked before it gets its name. Otherwise, another process could lock it first, and this one would
        // remove a file that the other holds.
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
        // The lock ends when the file is closed, after its removal. A process that has opened the file before then notices
        // the removal, and creates a new file.
        if self.is_created
            && let Ok(metadata) = self.file.metadata()
        {
            remove(&self.path, Identity::of(&metadata));
        }
    }
}
