//! One thread, on which a seed says what comes next. Time passes only when nothing is left to do.
//!
//! What wakes a task does so in a phase of its own: of four milliseconds one is for the network and
//! the disk, one for what the cluster waits for, one for the clock ticks of Raft, and one for its
//! pauses. So of two things that Raft waits for at once, of which it would take either, only one
//! happens at a time, and a seed gives the same run again.

use fastrand::Rng;
use openraft::{AsyncRuntime, OptionalSend, TokioRuntime};
use std::{
    cell::RefCell,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::{
    runtime::Handle,
    sync::watch,
    task::{AbortHandle, JoinHandle},
    time::{Instant, Sleep, Timeout, sleep_until, timeout_at},
};
use vectordoc::Result;

const PHASES: u64 = 4;
/// Of the network and the disk.
const WORLD: u64 = 0;
/// Of what the cluster waits for.
const CLUSTER: u64 = 1;
const TICKS: u64 = 2;
const PAUSES: u64 = 3;
/// Later than any run ends.
const NEVER_MS: u64 = 1_000_000_000_000;
/// One in so many pieces of work that block takes a while.
const SLOW: u8 = 4;
/// How many may wait for the same change.
const TURNS: u64 = 32;
const SLOW_MS_MAX: u64 = 24;

thread_local! {
    static SEEDED: RefCell<Option<Seeded>> = const { RefCell::new(None) };
    static SCOPE: RefCell<Option<Arc<Scope>>> = const { RefCell::new(None) };
}

struct Seeded {
    rng: Rng,
    start: Instant,
    turn: u64,
}

/// Begins a run on this thread, on a runtime whose time is paused.
pub(super) fn begin(seed: u64) {
    let seeded = Seeded { rng: Rng::with_seed(seed), start: Instant::now(), turn: 0 };
    SEEDED.with(|place| *place.borrow_mut() = Some(seeded));
}

fn seeded<T>(act: impl FnOnce(&mut Seeded) -> T) -> T {
    SEEDED.with(|place| act(place.borrow_mut().as_mut().expect("a run has begun on this thread")))
}

/// Draws from the random numbers of the run.
pub(super) fn draw<T>(act: impl FnOnce(&mut Rng) -> T) -> T {
    seeded(|seeded| act(&mut seeded.rng))
}

/// Whether something happens that does so `per_mille` times in a thousand.
pub(super) fn happens(per_mille: u32) -> bool {
    draw(|rng| rng.u32(..1_000)) < per_mille
}

/// Milliseconds since the run began.
pub(super) fn now_ms() -> u64 {
    seeded(|seeded| millis(Instant::now() - seeded.start))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(NEVER_MS).min(NEVER_MS)
}

/// The first moment of a phase that is not before `deadline`.
fn aligned(deadline: Instant, phase: u64) -> Instant {
    let start = seeded(|seeded| seeded.start);
    let ms = millis(deadline.saturating_duration_since(start));
    start + Duration::from_millis(ms + (phase + PHASES - ms % PHASES) % PHASES)
}

fn after(duration: Duration, phase: u64) -> Instant {
    aligned(Instant::now() + duration.min(Duration::from_millis(NEVER_MS)), phase)
}

/// Waits as the network and the disk do.
pub(super) fn world_sleep(ms: u64) -> Sleep {
    sleep_until(after(Duration::from_millis(ms), WORLD))
}

pub(in super::super) fn sleep(duration: Duration) -> Sleep {
    sleep_until(after(duration, CLUSTER))
}

pub(in super::super) fn timeout<F: Future>(duration: Duration, future: F) -> Timeout<F> {
    timeout_at(after(duration, CLUSTER), future)
}

/// Who hears of the same change goes on one after the other: by itself, tokio draws who is the first.
pub(in super::super) async fn changed<T>(value: &mut watch::Receiver<T>, patience: Duration) {
    let turn = seeded(|seeded| {
        seeded.turn = (seeded.turn + 1) % TURNS;
        seeded.turn
    });
    let _ = timeout(patience, value.changed()).await;
    sleep(Duration::from_millis(PHASES * turn)).await;
}

/// What blocks is done at once, or some time later.
pub(in super::super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    if draw(|rng| rng.u8(..SLOW)) == 0 {
        world_sleep(draw(|rng| rng.u64(1..=SLOW_MS_MAX))).await;
    }
    work()
}

pub(in super::super) fn spawn<T: Send + 'static>(
    task: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    let scope = SCOPE.with(|place| place.borrow().clone());
    let spawned = tokio::spawn(Scoped { scope: scope.clone(), task: Some(Box::pin(task)) });
    scope.iter().for_each(|scope| scope.keep(spawned.abort_handle()));
    spawned
}

pub(in super::super) fn spawn_on(_: &Handle, task: impl Future<Output = ()> + Send + 'static) {
    spawn(task);
}

/// What a process is: its tasks stand still together, and end together.
#[derive(Default)]
pub(super) struct Scope(Mutex<Tasks>);

#[derive(Default)]
struct Tasks {
    is_dead: bool,
    is_paused: bool,
    waiting: Vec<Waker>,
    tasks: Vec<AbortHandle>,
}

impl Scope {
    /// Tasks after which those that have ended are forgotten.
    const TIDY: usize = 256;

    fn tasks(&self) -> MutexGuard<'_, Tasks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, task: AbortHandle) {
        let mut tasks = self.tasks();
        if tasks.is_dead {
            task.abort();
        }
        if tasks.tasks.len() % Self::TIDY == Self::TIDY - 1 {
            tasks.tasks.retain(|task| !task.is_finished());
        }
        tasks.tasks.push(task);
    }

    /// Lets `act` happen in it.
    pub(super) fn enter<T>(self: &Arc<Self>, act: impl FnOnce() -> T) -> T {
        let before = SCOPE.with(|place| place.replace(Some(Arc::clone(self))));
        let done = act();
        SCOPE.with(|place| *place.borrow_mut() = before);
        done
    }

    pub(super) fn pause(&self) {
        self.tasks().is_paused = true;
    }

    pub(super) fn resume(&self) {
        let waiting = {
            let mut tasks = self.tasks();
            tasks.is_paused = false;
            std::mem::take(&mut tasks.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    pub(super) fn kill(&self) {
        let ended = {
            let mut tasks = self.tasks();
            tasks.is_dead = true;
            std::mem::take(&mut tasks.tasks)
        };
        ended.iter().for_each(AbortHandle::abort);
    }

    fn holds(&self, context: &Context<'_>) -> bool {
        let mut tasks = self.tasks();
        if tasks.is_paused {
            tasks.waiting.push(context.waker().clone());
        }
        tasks.is_paused
    }
}

/// A task of a process.
struct Scoped<T> {
    scope: Option<Arc<Scope>>,
    task: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
}

impl<T> Future for Scoped<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let scope = self.scope.clone();
        let Some(task) = &mut self.task else { return Poll::Pending };
        match scope {
            Some(scope) if scope.holds(context) => Poll::Pending,
            Some(scope) => scope.enter(|| task.as_mut().poll(context)),
            None => task.as_mut().poll(context),
        }
    }
}

impl<T> Drop for Scoped<T> {
    fn drop(&mut self) {
        let task = self.task.take();
        match &self.scope {
            Some(scope) => scope.enter(|| drop(task)),
            None => drop(task),
        }
    }
}

/// What Raft runs on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Runtime;

impl AsyncRuntime for Runtime {
    type JoinError = <TokioRuntime as AsyncRuntime>::JoinError;
    type JoinHandle<T: OptionalSend + 'static> = JoinHandle<T>;
    type Sleep = Sleep;
    type Instant = Instant;
    type TimeoutError = <TokioRuntime as AsyncRuntime>::TimeoutError;
    type Timeout<R, T: Future<Output = R> + OptionalSend> = Timeout<T>;
    type ThreadLocalRng = SeededRng;
    type OneshotSender<T: OptionalSend> = <TokioRuntime as AsyncRuntime>::OneshotSender<T>;
    type OneshotReceiver<T: OptionalSend> = <TokioRuntime as AsyncRuntime>::OneshotReceiver<T>;
    type OneshotReceiverError = <TokioRuntime as AsyncRuntime>::OneshotReceiverError;

    fn spawn<T>(future: T) -> JoinHandle<T::Output>
    where
        T: Future + OptionalSend + 'static,
        T::Output: OptionalSend + 'static,
    {
        spawn(future)
    }

    fn sleep(duration: Duration) -> Sleep {
        sleep_until(after(duration, PAUSES))
    }

    fn sleep_until(deadline: Instant) -> Sleep {
        sleep_until(aligned(deadline, TICKS))
    }

    fn timeout<R, F: Future<Output = R> + OptionalSend>(
        duration: Duration,
        future: F,
    ) -> Timeout<F> {
        timeout(duration, future)
    }

    fn timeout_at<R, F: Future<Output = R> + OptionalSend>(
        deadline: Instant,
        future: F,
    ) -> Timeout<F> {
        timeout_at(aligned(deadline, CLUSTER), future)
    }

    fn is_panic(error: &Self::JoinError) -> bool {
        error.is_panic()
    }

    fn thread_rng() -> SeededRng {
        SeededRng
    }

    fn oneshot<T>() -> (Self::OneshotSender<T>, Self::OneshotReceiver<T>)
    where
        T: OptionalSend,
    {
        TokioRuntime::oneshot()
    }
}

/// The random numbers of the run, for Raft.
pub(crate) struct SeededRng;

impl rand::RngCore for SeededRng {
    fn next_u32(&mut self) -> u32 {
        draw(|rng| rng.u32(..))
    }

    fn next_u64(&mut self) -> u64 {
        draw(|rng| rng.u64(..))
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        draw(|rng| rng.fill(bytes));
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}
