//! A switch between the nodes: it forwards Ethernet frames from one TAP device to another, and loses
//! and delays what it is told to.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    io,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use tun_rs::{DeviceBuilder, Layer, SyncDevice};

/// The longest frame with its header.
const FRAME_MAX: usize = 2_048;

/// How frames go from one node to another.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Link {
    pub(crate) is_cut: bool,
    pub(crate) delay: Duration,
    /// Of 1,000 frames, how many are lost.
    pub(crate) lost: u16,
}

/// The device of each node, and the link from each to each.
pub(crate) struct Switch {
    ports: Vec<SyncDevice>,
    links: Mutex<Vec<Vec<Link>>>,
    late: Mutex<BinaryHeap<Reverse<Late>>>,
    is_late: Condvar,
    order: AtomicU64,
    is_over: AtomicBool,
}

/// A frame that waits: when it is sent, its number, where to, and what it has.
type Late = (Instant, u64, usize, Vec<u8>);

/// The address of the device of a node.
pub(crate) fn hardware_address(node: usize) -> String {
    format!("02:00:00:00:00:{node:02x}")
}

impl Switch {
    /// Makes a device of each of these names. They are moved into namespaces by who asks for them.
    pub(crate) fn start(names: &[String]) -> io::Result<Arc<Self>> {
        let ports = names.iter().map(|name| {
            DeviceBuilder::new().name(name).layer(Layer::L2).mtu(1_500).enable(false).build_sync()
        });
        let ports = ports.collect::<io::Result<Vec<SyncDevice>>>()?;
        let links = vec![vec![Link::default(); ports.len()]; ports.len()];
        let switch = Arc::new(Self {
            ports,
            links: Mutex::new(links),
            late: Mutex::default(),
            is_late: Condvar::new(),
            order: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
        });
        for from in 0..names.len() {
            let switch = Arc::clone(&switch);
            thread::spawn(move || switch.forward_all(from));
        }
        let late = Arc::clone(&switch);
        thread::spawn(move || late.send_late());
        Ok(switch)
    }

    /// Changes the link from one node to another.
    pub(crate) fn set(&self, from: usize, to: usize, link: Link) {
        lock(&self.links)[from][to] = link;
    }

    /// Lets all frames pass at once.
    pub(crate) fn heal(&self) {
        lock(&self.links).iter_mut().flatten().for_each(|link| *link = Link::default());
    }

    /// Forwards nothing any more.
    pub(crate) fn stop(&self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.is_late.notify_all();
    }

    fn forward_all(&self, from: usize) {
        let mut frame = [0; FRAME_MAX];
        while !self.is_over.load(Ordering::Relaxed) {
            match self.ports[from].recv(&mut frame) {
                Ok(length) => self.forward(from, &frame[..length]),
                // The device is down, until its node has it.
                Err(_) => thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    fn forward(&self, from: usize, frame: &[u8]) {
        let Some(to) = frame.get(5).map(|last| usize::from(*last)) else { return };
        // Addresses are told to all nodes, so nobody has to ask all for one.
        if frame[..5] != [2, 0, 0, 0, 0] || to >= self.ports.len() {
            return;
        }
        let link = lock(&self.links)[from][to];
        if link.is_cut || (link.lost > 0 && fastrand::u16(0..1_000) < link.lost) {
            return;
        }
        if link.delay.is_zero() {
            return self.send(to, frame);
        }
        let number = self.order.fetch_add(1, Ordering::Relaxed);
        lock(&self.late).push(Reverse((Instant::now() + link.delay, number, to, frame.to_vec())));
        self.is_late.notify_one();
    }

    fn send_late(&self) {
        let mut late = lock(&self.late);
        while !self.is_over.load(Ordering::Relaxed) {
            let now = Instant::now();
            let wait = match late.peek() {
                Some(Reverse((when, ..))) if *when <= now => {
                    let Some(Reverse((_, _, to, frame))) = late.pop() else { continue };
                    drop(late);
                    self.send(to, &frame);
                    late = lock(&self.late);
                    continue;
                }
                Some(Reverse((when, ..))) => *when - now,
                None => Duration::from_millis(100),
            };
            late = self.is_late.wait_timeout(late, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn send(&self, to: usize, frame: &[u8]) {
        // Who cannot take it loses it, as on a wire.
        let _ = self.ports[to].send(frame);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
