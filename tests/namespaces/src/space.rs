//! What a thread does within the namespace of a node.

use crate::ground::Ground;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::{
    fs::File,
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    os::fd::AsFd,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

const PORT: u16 = 7_790;

/// Starts a thread in the namespace of node `node`.
fn within<T: Send + 'static>(
    ground: &Ground,
    node: usize,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> JoinHandle<io::Result<T>> {
    let path = format!("/var/run/netns/{}", ground.space(node));
    thread::spawn(move || {
        let space = File::open(path)?;
        move_into_link_name_space(space.as_fd(), Some(LinkNameSpaceType::Network))?;
        work()
    })
}

fn joined<T>(thread: JoinHandle<io::Result<T>>) -> io::Result<T> {
    thread.join().unwrap_or_else(|_| Err(io::Error::other("a thread panicked")))
}

fn connect(address: &str) -> io::Result<TcpStream> {
    let end = Instant::now() + Duration::from_secs(5);
    loop {
        match TcpStream::connect((address, PORT)) {
            Err(error)
                if error.kind() == io::ErrorKind::ConnectionRefused && Instant::now() < end =>
            {
                thread::sleep(Duration::from_millis(5));
            }
            done => return done,
        }
    }
}

/// How long a byte takes from one node to another and back: the median of many.
pub(crate) fn round_trip(ground: &Ground, from: usize, to: usize) -> io::Result<Duration> {
    const TIMES: usize = 101;
    let address = ground.node_address(to);
    let listen = address.clone();
    let echo = within(ground, to, move || {
        let (mut stream, _) = TcpListener::bind((listen.as_str(), PORT))?.accept()?;
        stream.set_nodelay(true)?;
        let mut byte = [0];
        while stream.read(&mut byte)? == 1 {
            stream.write_all(&byte)?;
        }
        Ok(())
    });
    let asked = within(ground, from, move || {
        let mut stream = connect(&address)?;
        stream.set_nodelay(true)?;
        let mut times = Vec::with_capacity(TIMES);
        for _ in 0..TIMES {
            let begin = Instant::now();
            stream.write_all(&[1])?;
            stream.read_exact(&mut [0])?;
            times.push(begin.elapsed());
        }
        stream.shutdown(Shutdown::Both)?;
        times.sort_unstable();
        Ok(times[TIMES / 2])
    });
    let time = joined(asked)?;
    joined(echo)?;
    Ok(time)
}

/// Bytes a second that one connection carries from one node to another.
pub(crate) fn bandwidth(ground: &Ground, from: usize, to: usize, bytes: usize) -> io::Result<f64> {
    let address = ground.node_address(to);
    let listen = address.clone();
    let sink = within(ground, to, move || {
        let (mut stream, _) = TcpListener::bind((listen.as_str(), PORT))?.accept()?;
        let (mut buffer, mut heard) = (vec![0; 1 << 16], 0);
        while heard < bytes {
            match stream.read(&mut buffer)? {
                0 => break,
                more => heard += more,
            }
        }
        stream.write_all(&[1])
    });
    let sent = within(ground, from, move || {
        let mut stream = connect(&address)?;
        let (block, begin) = (vec![7; 1 << 16], Instant::now());
        let mut left = bytes;
        while left > 0 {
            let piece = left.min(block.len());
            stream.write_all(&block[..piece])?;
            left -= piece;
        }
        stream.read_exact(&mut [0])?;
        Ok(bytes as f64 / begin.elapsed().as_secs_f64())
    });
    let rate = joined(sent)?;
    joined(sink)?;
    Ok(rate)
}
