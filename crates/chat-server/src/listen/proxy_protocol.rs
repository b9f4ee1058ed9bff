//! PROXY protocol version 2: a load balancer sends the address of its client before the client's own bytes.

use std::io;

use proxy_header::{ParseConfig, ProxyHeader};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::peer::Peer;

/// Every header begins with these bytes.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// The bytes before the addresses: the signature, the command, the family, and the length of the rest.
const FIXED_BYTES: usize = 16;
/// The most bytes that are accepted after these: addresses, and extensions such as TLS names. The protocol allows 65,535.
const MAX_REST_BYTES: usize = 4_096;

/// Reads a PROXY protocol header (version 2) from the beginning of a connection, and not a byte more. Returns the peer
/// with the client's address from the header, and with its former address as the [proxy](Peer::proxy). A header without an
/// address, such as that of a balancer's health check, changes nothing.
///
/// Use it only where nobody but the balancer can connect: it trusts the header, and the limits per address rely on it. It
/// has no timeout, so call it in [`Handshakes`](super::Handshakes).
///
/// ```
/// use chat_server::{ChatServer, listen::{Handshakes, read_proxy_header}};
/// use tokio::net::TcpListener;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let listener = Handshakes::new(listener, |mut reader, writer, peer| async move {
///     let peer = read_proxy_header(&mut reader, peer).await?;
///     Ok((reader, writer, peer))
/// });
/// let serve = ChatServer::builder().build().serve(listener);
/// # let _ = serve;
/// # Ok(()) }
/// ```
///
/// # Errors
///
/// [`InvalidData`](io::ErrorKind::InvalidData): the connection does not begin with such a header. This is detected at the first
/// wrong byte. [`UnexpectedEof`](io::ErrorKind::UnexpectedEof): the connection ended within the header. Otherwise, the error
/// of the reader.
pub async fn read_proxy_header<R>(reader: &mut R, peer: Peer) -> io::Result<Peer>
where
    R: AsyncRead + Unpin,
{
    let mut header = Vec::with_capacity(FIXED_BYTES);
    while header.len() < FIXED_BYTES {
        let missing = FIXED_BYTES - header.len();
        if (&mut *reader).take(missing as u64).read_buf(&mut header).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let seen = header.len().min(SIGNATURE.len());
        if header[..seen] != SIGNATURE[..seen] {
            return Err(invalid("no PROXY protocol header of version 2"));
        }
    }
    let rest = usize::from(u16::from_be_bytes([header[FIXED_BYTES - 2], header[FIXED_BYTES - 1]]));
    if rest > MAX_REST_BYTES {
        return Err(invalid("the PROXY protocol header is too long"));
    }
    header.resize(FIXED_BYTES + rest, 0);
    reader.read_exact(&mut header[FIXED_BYTES..]).await?;

    let config = ParseConfig { include_tlvs: false, allow_v1: false, allow_v2: true };
    let (header, _) =
        ProxyHeader::parse(&header, config).map_err(|_| invalid("the PROXY protocol header is not valid"))?;
    Ok(match header.proxied_address() {
        Some(addresses) => {
            let proxy = peer.address();
            let peer = peer.with_address(addresses.source);
            match proxy {
                Some(proxy) => peer.with_proxy(proxy),
                None => peer,
            }
        }
        None => peer,
    })
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use tokio::io::AsyncWriteExt;

    use super::*;

    const BALANCER: &str = "10.0.0.1:99";

    /// A header: command and family, and the rest.
    fn header(kind: [u8; 2], rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [SIGNATURE.as_slice(), &kind, &length, rest].concat()
    }

    /// Two addresses of `len` bytes, the source ending in 7, and the ports 4,000 and 2,222.
    fn addresses(len: usize) -> Vec<u8> {
        let mut bytes = vec![0; 2 * len];
        bytes[len - 1] = 7;
        bytes.extend([0x0f, 0xa0, 0x08, 0xae]);
        bytes
    }

    /// The peer after the header in `bytes`, and the bytes after the header. The bytes arrive one at a time.
    async fn read(bytes: Vec<u8>) -> io::Result<(Peer, String)> {
        let (mut ours, mut theirs) = tokio::io::duplex(1);
        let sender = tokio::spawn(async move { ours.write_all(&bytes).await });
        let peer = Peer::from(BALANCER.parse::<SocketAddr>().unwrap()).with_label("listener");
        let peer = read_proxy_header(&mut theirs, peer).await?;
        let mut left = String::new();
        theirs.read_to_string(&mut left).await?;
        sender.await.unwrap()?;
        Ok((peer, left))
    }

    #[tokio::test]
    async fn the_header_names_the_client() {
        let with_extension = [addresses(4), vec![4, 0, 1, 42]].concat();
        for (bytes, client) in [
            (header([0x21, 0x11], &addresses(4)), "0.0.0.7:4000"),
            (header([0x21, 0x11], &with_extension), "0.0.0.7:4000"),
            (header([0x21, 0x21], &addresses(16)), "[::7]:4000"),
        ] {
            let (peer, left) = read([bytes, b"hello\r\n".to_vec()].concat()).await.unwrap();
            assert_eq!(peer.to_string(), client);
            assert_eq!(peer.proxy().unwrap().to_string(), BALANCER);
            assert_eq!((peer.label(), left.as_str()), (Some("listener"), "hello\r\n"));
        }
    }

    #[tokio::test]
    async fn a_header_without_an_address_changes_nothing() {
        for bytes in [
            header([0x20, 0x00], &[]),
            header([0x20, 0x11], &addresses(4)),
            header([0x21, 0x00], &[]),
            header([0x21, 0x31], &[0; 216]),
        ] {
            let (peer, left) = read([bytes, b"x".to_vec()].concat()).await.unwrap();
            assert_eq!((peer.to_string().as_str(), peer.proxy(), left.as_str()), (BALANCER, None, "x"));
        }
    }

    /// A client that connects directly may send a short line and wait. The error must not wait for more bytes.
    #[tokio::test]
    async fn anything_else_is_an_error_at_its_first_wrong_byte() {
        for (bytes, why) in [
            (b"hello".to_vec(), "no PROXY protocol header of version 2"),
            (b"\r\n\r\nhello".to_vec(), "no PROXY protocol header of version 2"),
            (b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n".to_vec(), "no PROXY protocol header of version 2"),
            (header([0x31, 0x11], &addresses(4)), "the PROXY protocol header is not valid"),
            (header([0x21, 0x11], &[1, 2, 3]), "the PROXY protocol header is not valid"),
            (header([0x21, 0x11], &[0; MAX_REST_BYTES + 1]), "the PROXY protocol header is too long"),
        ] {
            let (mut ours, mut theirs) = tokio::io::duplex(8_192);
            ours.write_all(&bytes).await.unwrap();
            let error = read_proxy_header(&mut theirs, Peer::labelled("")).await.unwrap_err();
            assert_eq!((error.kind(), error.to_string().as_str()), (io::ErrorKind::InvalidData, why));
        }
    }

    #[tokio::test]
    async fn an_unfinished_header_is_an_error() {
        let complete = header([0x21, 0x11], &addresses(4));
        for len in 0..complete.len() {
            let error = read(complete[..len].to_vec()).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{len}");
        }
    }
}
