//! One run: a cluster under load while things go wrong, and what must be true of it in the end.

use super::{
    super::placement::Change,
    faults::{CALM_MS_MAX, Faults, weather},
    history::Asked,
    runtime::{begin, draw, happens, now_ms, world_sleep},
    traffic::{SCHEMA, Traffic},
    watch::Watch,
    world::{World, name},
};
use std::sync::Arc;
use vectordoc::{Schema, native::Replication};

/// How long things go wrong.
const TROUBLE_MS: u64 = 15_000;
/// How often all nodes are looked at.
const LOOK_MS: u64 = 40;
const CLIENTS: usize = 5;
/// How long all may take to be well again: to have a leader, and to be the same.
const LEADER_MS_MAX: u64 = 5_000;
const EQUAL_MS_MAX: u64 = 30_000;
/// How long a cluster may take to begin.
const BEGIN_MS_MAX: u64 = 60_000;

/// What a run was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Report {
    /// Over all that happened, in its order.
    pub(super) hash: u64,
    pub(super) messages: u64,
    /// Answers that clients got.
    pub(super) answers: u64,
}

/// The run of a seed; it panics when it finds something wrong.
pub(super) fn run(seed: u64) -> Report {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        begin(seed);
        let mut run = Run::of().await;
        run.trouble().await;
        run.heal().await;
        run.judge()
    })
}

struct Run {
    world: World,
    watch: Watch,
    traffic: Arc<Traffic>,
    faults: Faults,
}

impl Run {
    async fn of() -> Self {
        let nodes = draw(|rng| [3, 3, 4, 5, 5, 7][rng.usize(..6)]);
        let world = World::of(nodes).await;
        let schema = Schema::from_json_str(SCHEMA).expect("a schema");
        let replicas = draw(|rng| rng.usize(2..=world.machines.len()));
        let first = &world.running()[0].1.cluster;
        let change = Change::create(name().as_str(), &schema, Some(1), Some(replicas), 1);
        first.place(change).await.expect("the database is created");
        let run = Self {
            world,
            watch: Watch::default(),
            traffic: Arc::default(),
            faults: Faults::default(),
        };
        let end = now_ms() + BEGIN_MS_MAX;
        while !run.has_leader() {
            assert!(now_ms() < end, "the database has no leader");
            world_sleep(LOOK_MS).await;
        }
        run
    }

    /// Whether a node takes writes.
    fn has_leader(&self) -> bool {
        let replicas = self.world.running().into_iter().filter_map(|(_, node)| node.replica());
        replicas.into_iter().any(|replica| replica.term().is_some())
    }

    /// Things go wrong while clients ask.
    async fn trouble(&mut self) {
        let running = self.world.running().into_iter().map(|(_, running)| running);
        self.traffic.know(running.collect());
        for _ in 0..CLIENTS {
            tokio::spawn(Arc::clone(&self.traffic).client(Arc::clone(&self.world.network)));
        }
        self.world.network.set_weather(weather());
        let end = now_ms() + TROUBLE_MS;
        let mut next = now_ms();
        while now_ms() < end {
            self.step().await;
            if now_ms() >= next {
                self.faults.next(&mut self.world, &self.traffic).await;
                next = now_ms() + draw(|rng| rng.u64(1..CALM_MS_MAX));
            }
        }
    }

    /// Some time goes by. Databases do what they do by themselves.
    async fn step(&mut self) {
        world_sleep(LOOK_MS).await;
        self.watch.look(&self.world);
        for (_, running) in self.world.running() {
            let Some(database) = running.replica().and_then(|replica| replica.database().ok())
            else {
                continue;
            };
            if happens(250) {
                // One that cannot says so to who asks for more.
                let _ = running.scope.enter(|| database.flush());
            }
            if happens(30) {
                running.scope.enter(|| database.idle());
            }
        }
    }

    /// Nothing goes wrong any more.
    async fn heal(&mut self) {
        self.traffic.end();
        self.faults.end(&mut self.world, &self.traffic).await;
        let end = now_ms() + LEADER_MS_MAX;
        while !self.has_leader() {
            assert!(now_ms() < end, "no leader {LEADER_MS_MAX} ms after all was well again");
            self.step().await;
        }
        let end = now_ms() + EQUAL_MS_MAX;
        while !(self.traffic.is_quiet() && self.are_equal()) {
            assert!(
                now_ms() < end,
                "{} {EQUAL_MS_MAX} ms after all was well again",
                self.describe()
            );
            self.step().await;
        }
        self.read_all(now_ms() + EQUAL_MS_MAX).await;
    }

    /// Whether all nodes that shall have a replica have the same.
    fn are_equal(&self) -> bool {
        let running = self.world.running();
        let placement = running[0].1.cluster.placement();
        let Some(placed) = placement.databases.get(name().as_str()) else { return false };
        let state = |node: &u64| {
            let (_, running) = running.iter().find(|(other, _)| other == node)?;
            let replica = running.replica()?;
            let applied = replica.raft().ok()?.metrics().borrow().last_applied?;
            Some((applied, replica.database().ok()?.ground_hash().ok()?))
        };
        let states: Vec<_> = placed.shards[0].nodes.iter().map(state).collect();
        states[0].is_some() && states.iter().all(|other| *other == states[0])
    }

    fn describe(&self) -> String {
        let running = self.world.running();
        let state = |(node, running): &(u64, super::world::Running)| {
            let state = running.replica().map(|replica| {
                let metrics = replica.raft().map(|raft| raft.metrics().borrow().clone());
                let hash = replica.database().and_then(|database| database.ground_hash());
                format!("{hash:?} {metrics:?}")
            });
            format!("node {node}: {state:?}\n")
        };
        let states: String = running.iter().map(state).collect();
        format!("{:?}\nreplicas are not equal:\n{states}", running[0].1.cluster.placement())
    }

    /// Every replica is asked for every document.
    async fn read_all(&mut self, end: u64) {
        for (_, running) in self.world.running() {
            // One that its group lets go of at this moment answers nothing any more.
            let is_gone = || running.replica().is_none_or(|replica| replica.is_hidden());
            for id in self.traffic.documents() {
                while !is_gone()
                    && !self.traffic.ask(&running, id, Asked::Get, &self.world.network).await
                {
                    assert!(now_ms() < end, "{} and not read", self.describe());
                    self.step().await;
                }
            }
        }
    }

    fn judge(self) -> Report {
        let answers = self.traffic.judge();
        let (hash, messages) = self.world.network.summary();
        self.world.end();
        Report { hash, messages, answers }
    }
}

#[cfg(test)]
mod tests {
    use super::run;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// A number of the environment.
    fn number(name: &str, default: u64) -> u64 {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
    }

    fn seeds(commit: u64) -> std::ops::Range<u64> {
        let times = match std::env::var("BUDGET").as_deref() {
            Ok("nightly") => 50,
            Ok("release") => 500,
            _ => 1,
        };
        let first = number("SEED", 1);
        first..first + number("PROGRAMS", commit * times)
    }

    #[test]
    fn whatever_goes_wrong_documents_are_as_if_there_was_one_of_each() {
        trace();
        let seeds = seeds(200);
        let next = AtomicU64::new(seeds.start);
        let answers = AtomicU64::new(0);
        let work = || {
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= seeds.end {
                    break;
                }
                let shown = Shown(seed);
                answers.fetch_add(run(seed).answers, Ordering::Relaxed);
                std::mem::forget(shown);
            }
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            (0..threads).for_each(|_| {
                scope.spawn(work);
            });
        });
        figure(seeds.end - seeds.start, &answers);
    }

    /// Says what was done, for the table of promises.
    fn figure(seeds: u64, answers: &AtomicU64) {
        let said = format!("{seeds} runs of a simulated cluster, 0 not linearizable\n");
        eprintln!("FIGURE cluster_simulation: {answers:?} answers in {said}");
        if let Ok(directory) = std::env::var("FIGURES") {
            let path = std::path::Path::new(&directory).join("cluster_simulation");
            std::fs::write(path, said).expect("the directory of figures");
        }
    }

    #[test]
    fn a_seed_gives_the_whole_run() {
        trace();
        let seeds = seeds(6);
        for seed in seeds {
            assert_eq!(run(seed), run(seed), "SEED={seed}: twice the same, and something else");
        }
    }

    /// Shows what nodes say, at the level of `TRACE`.
    fn trace() {
        #[cfg(feature = "cli")]
        if let Ok(level) = std::env::var("TRACE") {
            use tracing_subscriber::{EnvFilter, fmt};
            let _ = fmt().with_env_filter(EnvFilter::new(level)).with_ansi(false).try_init();
        }
    }

    /// Says how to have a run again, should it panic.
    struct Shown(u64);

    impl Drop for Shown {
        fn drop(&mut self) {
            eprintln!(
                "SEED={}: again by SEED={} PROGRAMS=1 cargo test -p vectordoc-server --lib \
                 whatever_goes_wrong",
                self.0, self.0
            );
        }
    }
}
