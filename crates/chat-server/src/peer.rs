//! The other end of a connection: its address, and what the listener and the embedding program know of it.

use std::{
    any::{Any, TypeId},
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

/// The other end of a connection. A [`Listener`](crate::listen::Listener) or the embedding program makes it; a
/// [`Policy`](crate::Policy), [`Member`](crate::Member)s, events, the limits and the log use it.
///
/// An IPv4-mapped address such as `::ffff:192.0.2.7` is always converted to `192.0.2.7`. Clones share one allocation.
///
/// ```
/// use std::net::SocketAddr;
/// use chat_server::Peer;
///
/// #[derive(Debug, PartialEq)]
/// struct UserId(u64);
///
/// let address: SocketAddr = "192.0.2.7:4000".parse()?;
/// let peer = Peer::from(address).with_label("websocket").with_data(UserId(7));
/// assert_eq!(peer.address(), Some(address));
/// assert_eq!(peer.label(), Some("websocket"));
/// assert_eq!(peer.data::<UserId>(), Some(&UserId(7)));
/// assert_eq!(peer.to_string(), "192.0.2.7:4000");
/// # Ok::<_, std::net::AddrParseError>(())
/// ```
#[derive(Clone)]
pub struct Peer(Arc<Inner>);

#[derive(Clone, Default)]
struct Inner {
    address: Option<SocketAddr>,
    is_local: bool,
    /// The parts that most peers do not have. They are boxed to keep idle clients small.
    extra: Option<Box<Extra>>,
}

#[derive(Clone, Default)]
struct Extra {
    proxy: Option<SocketAddr>,
    label: Option<Arc<str>>,
    /// At most one value of each type.
    data: Vec<(TypeId, Arc<dyn Any + Send + Sync>)>,
}

impl Peer {
    /// A peer without an address, known by a label such as `gateway` or the path of a Unix socket.
    ///
    /// ```
    /// use chat_server::Peer;
    ///
    /// let peer = Peer::labelled("gateway");
    /// assert_eq!((peer.label(), peer.address(), peer.is_local()), (Some("gateway"), None, false));
    /// ```
    pub fn labelled(label: impl Into<Arc<str>>) -> Self {
        Self(Arc::default()).with_label(label)
    }

    /// The peer of a [`LocalClient`](crate::LocalClient).
    pub(crate) fn local() -> Self {
        Self(Arc::new(Inner { is_local: true, ..Inner::default() }))
    }

    /// Sets a label. The log shows it if there is no address.
    #[must_use]
    pub fn with_label(mut self, label: impl Into<Arc<str>>) -> Self {
        self.extra().label = Some(label.into());
        self
    }

    /// Sets the address, for the limits and the log. A gateway can set the address of its own client.
    #[must_use]
    pub fn with_address(mut self, address: SocketAddr) -> Self {
        Arc::make_mut(&mut self.0).address = Some(canonical(address));
        self
    }

    /// Sets the address of the proxy that opened the connection for the peer. The caller trusts this proxy:
    /// [`address`](Self::address) is what the proxy says, and limits apply to it.
    ///
    /// ```
    /// use std::net::SocketAddr;
    ///
    /// use chat_server::Peer;
    ///
    /// let (client, balancer): (SocketAddr, SocketAddr) = ("192.0.2.7:4000".parse()?, "10.0.0.1:5000".parse()?);
    /// let peer = Peer::from(client).with_proxy(balancer);
    /// assert_eq!((peer.address(), peer.proxy()), (Some(client), Some(balancer)));
    /// # Ok::<_, std::net::AddrParseError>(())
    /// ```
    #[must_use]
    pub fn with_proxy(mut self, proxy: SocketAddr) -> Self {
        self.extra().proxy = Some(canonical(proxy));
        self
    }

    /// Attaches a value, for example the user that a gateway has authenticated. It replaces a value of the same type.
    ///
    /// ```
    /// use chat_server::Peer;
    ///
    /// struct User(&'static str);
    /// struct Language(&'static str);
    ///
    /// let peer = Peer::labelled("gateway").with_data(User("ann")).with_data(Language("fr"));
    /// assert_eq!(peer.data::<User>().map(|user| user.0), Some("ann"));
    /// assert_eq!(peer.data::<Language>().map(|language| language.0), Some("fr"));
    /// ```
    #[must_use]
    pub fn with_data<T: Any + Send + Sync>(mut self, data: T) -> Self {
        let (key, value) = (TypeId::of::<T>(), Arc::new(data));
        let values = &mut self.extra().data;
        values.retain(|(other, _)| *other != key);
        values.push((key, value));
        self
    }

    /// Its address, if it has one. Behind a trusted proxy, this is the address of the client.
    pub fn address(&self) -> Option<SocketAddr> {
        self.0.address
    }

    /// The address of the trusted proxy, if the connection came through one.
    pub fn proxy(&self) -> Option<SocketAddr> {
        self.0.extra.as_ref()?.proxy
    }

    /// Its label, if it has one.
    pub fn label(&self) -> Option<&str> {
        self.0.extra.as_ref()?.label.as_deref()
    }

    /// The attached value of this type.
    pub fn data<T: Any>(&self) -> Option<&T> {
        let values = &self.0.extra.as_ref()?.data;
        values.iter().find_map(|(_, value)| value.downcast_ref())
    }

    /// Whether it is a [`LocalClient`](crate::LocalClient).
    pub fn is_local(&self) -> bool {
        self.0.is_local
    }

    /// The host that the limits count: an IPv4 address or an IPv6 /64. `None`: a peer without an address.
    pub(crate) fn host(&self) -> Option<IpAddr> {
        self.address().map(|address| host(address.ip()))
    }

    fn extra(&mut self) -> &mut Extra {
        Arc::make_mut(&mut self.0).extra.get_or_insert_default()
    }
}

/// An IPv4 address or an IPv6 /64, since one host may use a whole /64.
fn host(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

fn canonical(address: SocketAddr) -> SocketAddr {
    // Only mapped addresses change: an IPv6 address keeps its scope.
    match address.ip().to_canonical() {
        ip if ip == address.ip() => address,
        ip => SocketAddr::new(ip, address.port()),
    }
}

impl From<SocketAddr> for Peer {
    fn from(address: SocketAddr) -> Self {
        Self(Arc::default()).with_address(address)
    }
}

/// For the log: the address, or if there is none, the label, or if there is none, the kind of peer.
impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.address(), self.label()) {
            (Some(address), _) => address.fmt(f),
            (None, Some(label)) => label.escape_debug().fmt(f),
            (None, None) => f.write_str(if self.is_local() { "local" } else { "unnamed" }),
        }
    }
}

/// Attached values are not shown.
impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Peer");
        if let Some(address) = self.address() {
            debug.field("address", &address);
        }
        if let Some(proxy) = self.proxy() {
            debug.field("proxy", &proxy);
        }
        if let Some(label) = self.label() {
            debug.field("label", &label);
        }
        debug.field("is_local", &self.is_local()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_to_a_clone_leaves_the_original() {
        let original = Peer::labelled("one").with_data(1_u8);
        let changed = original.clone().with_label("two").with_data(2_u8).with_data("text");
        assert_eq!((original.label(), original.data::<u8>(), original.data::<&str>()), (Some("one"), Some(&1), None));
        assert_eq!(
            (changed.label(), changed.data::<u8>(), changed.data::<&str>()),
            (Some("two"), Some(&2), Some(&"text"))
        );
    }

    #[test]
    fn addresses_have_one_spelling() {
        let proxy = "[::ffff:10.0.0.1]:9".parse().unwrap();
        for (given, expected) in [
            ("[::ffff:192.0.2.7]:1", "192.0.2.7:1"),
            ("192.0.2.7:1", "192.0.2.7:1"),
            ("[2001:db8::1%3]:1", "[2001:db8::1%3]:1"),
        ] {
            let peer = Peer::from(given.parse::<SocketAddr>().unwrap()).with_proxy(proxy);
            assert_eq!(peer.to_string(), expected);
            assert_eq!(peer.proxy().unwrap().to_string(), "10.0.0.1:9");
        }
        assert_eq!([Peer::local().to_string(), Peer::labelled("a\nb").to_string()], ["local", "a\\nb"]);
    }

    #[test]
    fn a_host_is_an_ipv4_address_or_an_ipv6_network_of_64_bits() {
        let host = |ip: &str| Peer::from(SocketAddr::new(ip.parse().unwrap(), 1)).host();
        assert_eq!(host("::ffff:10.0.0.2"), host("10.0.0.2"));
        assert_eq!(host("2001:db8:0:1:ffff::9"), host("2001:db8:0:1::1"));
        assert_ne!(host("2001:db8:0:2::1"), host("2001:db8:0:1::1"));
        assert_ne!(host("10.0.0.1"), host("10.0.0.2"));
    }
}
