//! TLS beside plain TCP: two ports, one room. A handshake delays no other client, and has 10 seconds.
//!
//! `cargo run --example tls CERTIFICATE.pem KEY.pem`, then `openssl s_client -quiet -connect localhost:PORT` with the first
//! port; the second one is plain. Ctrl-C stops it.
#![allow(clippy::print_stdout)]

use std::{io, sync::Arc};

use chat_server::{
    ChatServer,
    listen::{Handshakes, Listener},
};
use tokio::net::TcpListener;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

/// The user of a client certificate would be attached to the peer here.
struct Encrypted;

/// All connections of the listener, once their handshake is done.
fn encrypted(listener: TcpListener, acceptor: TlsAcceptor) -> impl Listener {
    Handshakes::new(listener, move |reader, writer, peer| {
        let acceptor = acceptor.clone();
        async move {
            let stream = acceptor.accept(tokio::io::join(reader, writer)).await?;
            let (reader, writer) = tokio::io::split(stream);
            Ok((reader, writer, peer.with_label("tls").with_data(Encrypted)))
        }
    })
}

fn acceptor(certificates: &str, key: &str) -> Result<TlsAcceptor, Box<dyn std::error::Error>> {
    let certificates = CertificateDer::pem_file_iter(certificates)?.collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_file(key)?;
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(certificates, key)?;
    Ok(Arc::new(config).into())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(certificates), Some(key)) = (arguments.next(), arguments.next()) else {
        return Err(io::Error::other("give a certificate and its key, as PEM files").into());
    };
    let acceptor = acceptor(&certificates, &key)?;
    let (tls, plain) = (TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);
    println!("listening on {}", tls.local_addr()?);
    println!("listening on {}", plain.local_addr()?);

    let interrupted = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    let server = ChatServer::builder().build();
    let serving = server.serve(encrypted(tls, acceptor)).and(plain);
    let report = serving.with_graceful_shutdown(interrupted).await;
    println!("{} drained, {} cut", report.drained, report.cut);
    Ok(())
}
