//! The binary `vectordoc` as a user meets it: run to its end, or kept running as a server. It is
//! built with the tests from the same `main.rs`, so it is never an older one.

#![allow(dead_code, reason = "every test file uses a part")]

pub(crate) mod npy;

use std::{
    io::{BufRead, BufReader, Lines},
    path::Path,
    process::{Child, ChildStdout, Command, Output, Stdio},
};

/// Where the binary is.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_vectordoc-tested");

/// What a finished run said, and how it ended.
pub(crate) struct Run {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: Option<i32>,
}

impl Run {
    fn of(output: Output) -> Self {
        Self {
            stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
            code: output.status.code(),
        }
    }

    /// The standard output of a run that succeeded.
    #[track_caller]
    pub(crate) fn succeeded(self) -> String {
        assert_eq!(self.code, Some(0), "{}{}", self.stdout, self.stderr);
        self.stdout
    }

    /// The standard error of a run that failed in this way: 1 at work, 2 to understand its user.
    #[track_caller]
    pub(crate) fn failed(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        self.stderr
    }

    /// The standard output of a run that succeeded, as JSON.
    #[track_caller]
    pub(crate) fn json(self) -> serde_json::Value {
        let text = self.succeeded();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
    }
}

/// Runs `vectordoc` with these arguments to its end.
pub(crate) fn run<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Run {
    let output = Command::new(PROGRAM).args(arguments).output().expect("the binary runs");
    Run::of(output)
}

/// Runs a command line as a shell would that it was pasted into.
pub(crate) fn paste(line: &str) -> Run {
    let output = Command::new("sh").args(["-c", line]).output().expect("the shell runs");
    Run::of(output)
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("temporary paths are UTF-8")
}

/// A `vectordoc` that keeps running. Dropped, it is killed.
pub(crate) struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    /// Starts `vectordoc` with these arguments.
    pub(crate) fn start<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Self {
        let mut command = Command::new(PROGRAM);
        let mut child =
            command.args(arguments).stdout(Stdio::piped()).spawn().expect("the binary starts");
        let lines = BufReader::new(child.stdout.take().expect("it was piped")).lines();
        Self { child, lines }
    }

    /// Serves the data directory at any free port, and the address.
    pub(crate) fn serve(data: &Path) -> (Self, String) {
        let mut server = Self::start(["serve", "--data", text(data), "--listen", "127.0.0.1:0"]);
        let line = server.line_with("ws://");
        (server, address(&line))
    }

    /// The same with further arguments, its log in the file `log`.
    pub(crate) fn serve_logged(data: &Path, arguments: &[&str], log: &Path) -> (Self, String) {
        let mut command = Command::new(PROGRAM);
        command.args(["serve", "--data", text(data), "--listen", "127.0.0.1:0"]).args(arguments);
        let log = std::fs::File::create(log).expect("a file");
        let child = command.stdout(Stdio::piped()).stderr(log).spawn();
        let mut child = child.expect("the binary starts");
        let lines = BufReader::new(child.stdout.take().expect("it was piped")).lines();
        let mut server = Self { child, lines };
        let line = server.line_with("ws://");
        (server, address(&line))
    }

    /// The same with these variables of the environment, and its log where that of this process is.
    pub(crate) fn serve_with(
        data: &Path,
        arguments: &[String],
        variables: &[(&str, &str)],
    ) -> (Self, String) {
        let mut command = Command::new(PROGRAM);
        command.args(["serve", "--data", text(data), "--listen", "127.0.0.1:0"]).args(arguments);
        let child = command.envs(variables.iter().copied()).stdout(Stdio::piped()).spawn();
        let mut child = child.expect("the binary starts");
        let lines = BufReader::new(child.stdout.take().expect("it was piped")).lines();
        let mut server = Self { child, lines };
        let line = server.line_with("ws://");
        (server, address(&line))
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        let arguments = [format!("-{name}"), self.child.id().to_string()];
        assert!(Command::new("kill").args(arguments).status().expect("kill runs").success());
    }

    /// The id of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line that has `part`.
    pub(crate) fn line_with(&mut self, part: &str) -> String {
        let mut lines = self.lines.by_ref().map(|line| line.expect("a line"));
        lines.find(|line| line.contains(part)).unwrap_or_else(|| panic!("no line has {part:?}"))
    }

    /// Asks it to stop as an operator does, and returns what it said last and how it ended.
    pub(crate) fn terminate(mut self) -> (Vec<String>, Option<i32>) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().expect("kill runs");
        assert!(sent.success());
        let said = self.lines.by_ref().map(|line| line.expect("a line")).collect();
        (said, self.child.wait().expect("it ends").code())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails when it has ended, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The `ws://…` in a line.
pub(crate) fn address(line: &str) -> String {
    let word = line.split_whitespace().find(|word| word.starts_with("ws://"));
    word.unwrap_or_else(|| panic!("no address in {line:?}")).to_owned()
}
