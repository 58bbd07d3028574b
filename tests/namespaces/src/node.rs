//! A node: a process of the service in a namespace.

use crate::{
    ground::Ground,
    request::{Answer, ask},
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value as Json, json};
use std::{
    fs::OpenOptions,
    path::Path,
    process::{Child, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

/// How long a node may take to begin to answer.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// One node. Dropped, it is killed.
pub(crate) struct Node {
    ground: Arc<Ground>,
    pub(crate) number: usize,
    process: Option<Child>,
}

impl Node {
    /// Starts node `number`, which joins `others` if it was in no cluster before.
    pub(crate) fn start(
        ground: &Arc<Ground>,
        program: &Path,
        number: usize,
        others: &[usize],
        more: &[String],
    ) -> Result<Self, String> {
        let data = ground.data(number);
        let address = |node: usize| format!("{}:7701", ground.node_address(node));
        let log = ground.path(&format!("node{number}.log"));
        let log = OpenOptions::new().create(true).append(true).open(log);
        let log = log.map_err(|error| error.to_string())?;
        let mut command = ground.command(number, program);
        command.args(["serve", "--insecure", "--data"]).arg(&data);
        command.args(["--listen", &format!("{}:7700", ground.client_address(number))]);
        command.arg("--cluster-key-file").arg(ground.path("key"));
        command.args(["--cluster-listen", &address(number)]);
        if !others.is_empty() {
            let others: Vec<String> = others.iter().map(|node| address(*node)).collect();
            command.args(["--join", &others.join(",")]);
        }
        command
            .args(more)
            .env("VECTORDOC_LOG_FILTER", "info,vectordoc::request=warn,vectordoc::slow=error");
        let other = log.try_clone().map_err(|error| error.to_string())?;
        command.stdin(Stdio::null()).stdout(log).stderr(other);
        let process = command.spawn().map_err(|error| format!("{}: {error}", program.display()))?;
        Ok(Self { ground: Arc::clone(ground), number, process: Some(process) })
    }

    /// Waits until it answers.
    pub(crate) fn wait(&mut self) -> Result<(), String> {
        let end = Instant::now() + START_TIMEOUT;
        while !matches!(self.ask("GET", "/readyz", &Json::Null), Answer::Said(200, _)) {
            if let Some(process) = &mut self.process
                && let Ok(Some(status)) = process.try_wait()
            {
                return Err(format!("node {} ended: {status}; {}", self.number, self.log_end()));
            }
            if Instant::now() > end {
                return Err(format!("node {} does not answer; {}", self.number, self.log_end()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// The last lines it logged.
    pub(crate) fn log_end(&self) -> String {
        let path = self.ground.path(&format!("node{}.log", self.number));
        let log = std::fs::read_to_string(path).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }

    /// Where clients reach it.
    pub(crate) fn client(&self) -> String {
        format!("{}:7700", self.ground.client_address(self.number))
    }

    /// The id of its process.
    pub(crate) fn id(&self) -> Option<u32> {
        self.process.as_ref().map(Child::id)
    }

    pub(crate) fn is_running(&self) -> bool {
        self.process.is_some()
    }

    /// Ends it at once.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Stops it in the middle of what it does, or lets it go on.
    pub(crate) fn set_paused(&self, is_paused: bool) {
        let signal = if is_paused { Signal::STOP } else { Signal::CONT };
        if let Some(pid) = self.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) {
            let _ = kill_process(pid, signal);
        }
    }

    pub(crate) fn ask(&self, verb: &str, path: &str, body: &Json) -> Answer {
        ask(&self.client(), verb, path, body)
    }

    /// The result of a request, which is made again until it succeeds.
    pub(crate) fn insist(&self, verb: &str, path: &str, body: &Json) -> Result<Json, String> {
        let end = Instant::now() + START_TIMEOUT;
        loop {
            match self.ask(verb, path, body) {
                Answer::Said(200, result) => return Ok(result),
                answer if Instant::now() > end => return Err(format!("{verb} {path}: {answer:?}")),
                _ => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    /// How it says that the cluster is.
    pub(crate) fn status(&self, hashes: bool) -> Option<Json> {
        match self.ask("GET", &format!("/v1/cluster?hashes={hashes}"), &json!(null)) {
            Answer::Said(200, status) => Some(status),
            _ => None,
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.set_paused(false);
        self.kill();
    }
}

/// The replicas of the database `db`.
pub(crate) fn replicas<'a>(status: &'a Json, db: &str) -> Vec<&'a Json> {
    let databases = status["databases"].as_array().map_or(&[][..], Vec::as_slice);
    let found = databases.iter().filter(|database| database["db"] == db);
    found.filter_map(|database| database["replicas"].as_array()).flatten().collect()
}

/// The number of the node that leads the database `db`.
pub(crate) fn leader(status: &Json, db: &str) -> Option<u64> {
    let replicas = replicas(status, db);
    let leads = replicas.iter().filter(|replica| replica["role"] == "leader");
    let newest = leads.max_by_key(|replica| replica["term"].as_u64())?;
    newest["node"].as_u64()
}
