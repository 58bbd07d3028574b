//! What a new node answers while it is in no cluster: that it is in none. By that the first of
//! several new nodes knows that it is to begin one, and not to be let into one.

use super::{
    door::{ACCEPT_PAUSE, CONNECTIONS_MAX, HANDSHAKE_TIMEOUT},
    message::{self, Response},
};
use std::{convert::Infallible, io};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

/// Tells everyone with the key so, until it is dropped, which ends the connections too.
pub(super) async fn receive(listener: &TcpListener, tls: &TlsAcceptor) -> Infallible {
    let mut guests = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if guests.len() < CONNECTIONS_MAX => match accepted {
                Ok((stream, _)) => {
                    guests.spawn(tell(stream, tls.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection of another node");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = guests.join_next() => {}
        }
    }
}

async fn tell(stream: TcpStream, tls: TlsAcceptor) -> io::Result<()> {
    let mut stream = timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await??;
    loop {
        message::read(&mut stream).await.map(|_: message::Request| ())?;
        message::write(&mut stream, &Response::Outside).await?;
    }
}
