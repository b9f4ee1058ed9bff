//! Where a connection comes from, and how large its buffers are.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use tokio::net::{TcpSocket, TcpStream};

/// The receive buffer of a connection that stands for a slow reader, in bytes.
const NARROW_BUFFER: u32 = 4 * 1024;
/// The segment size of such a connection, in bytes. Large segments would give the server a large send buffer.
const NARROW_SEGMENT: u32 = 1_000;

/// Where a connection comes from.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Origin {
    /// The local address, or that of the system.
    local: Option<Ipv4Addr>,
    /// Whether the buffers of the connection are small, so that a server soon notices that nobody reads.
    narrow: bool,
}

impl Origin {
    /// An address of its own for each `number`, if the server is on this machine. So the limits for one address (clauses
    /// 2.6 and 6.6) are not those of all cases together.
    pub(crate) fn of_case(number: u32, server: SocketAddr) -> Self {
        let [_, _, high, low] = (number % 60_000 + 256).to_be_bytes();
        // 127.0.0.0/8 is this machine. Only Linux accepts all of its addresses without setting them up.
        let is_own = cfg!(target_os = "linux") && server.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST);
        Self { local: is_own.then(|| Ipv4Addr::new(127, 1, high, low)), narrow: false }
    }

    /// The same place, with small buffers.
    pub(crate) fn narrow(self) -> Self {
        Self { narrow: true, ..self }
    }

    pub(super) async fn connect(self, address: SocketAddr) -> io::Result<TcpStream> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if let Some(local) = self.local {
            socket.bind((local, 0).into())?;
        }
        if self.narrow {
            socket.set_recv_buffer_size(NARROW_BUFFER)?;
            #[cfg(target_os = "linux")]
            socket2::SockRef::from(&socket).set_tcp_mss(NARROW_SEGMENT)?;
        }
        socket.connect(address).await
    }
}
