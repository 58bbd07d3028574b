//! The table of settings.

use super::{
    kind::Kind::{
        Address, Bucket, Bytes, Choice, Collector, Count, Duration, Endpoint, Filter, HostIfAny,
        List, Path, PathIfAny, Switch, Word,
    },
    setting::{Field, Setting},
};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const GIB: u64 = 1024 * MIB;
const TIB: u64 = 1024 * GIB;
const SECOND_MS: u64 = 1_000;
const HOUR_MS: u64 = 3_600 * SECOND_MS;
const WEEK_MS: u64 = 7 * 24 * HOUR_MS;

macro_rules! settings {
    ($($key:literal, $($field:ident).+, $kind:expr, $about:literal;)*) => {
        /// Every setting, those without a table first.
        pub(crate) static SETTINGS: &[Setting] = &[$(Setting {
            key: $key,
            kind: $kind,
            about: $about,
            set: |settings, value| match Field::from_value(value) {
                Some(value) => {
                    settings.$($field).+ = value;
                    true
                }
                None => false,
            },
            get: |settings| settings.$($field).+.to_value(),
        }),*];
    };
}

settings! {
    "data", data, Path, "Directory of the databases; created when missing";
    "listen", listen, Address, "Address and port to listen at";
    "shards", shards, Count(1, 64), "Shards of new databases whose creator does not say";
    "residence", residence, Choice(&["memory", "disk"]),
        "Where documents and full vectors are: on the disk, codes of an eighth of their size are in memory";
    "insecure", insecure, Switch,
        "Allow an address that other machines can reach without a key and TLS";
    "allow_origins", allow_origins, List, "Web pages that may connect, such as https://example.org";
    "console", console, Switch, "Serve the web console at /";
    "join", join, List, "Where nodes of a cluster listen for nodes, HOST:PORT, to be let in when this one starts for the first time; none to begin a cluster";
    "cluster.key_file", cluster.key_file, PathIfAny, "File with the key that the nodes of a cluster share; none for no cluster";
    "cluster.listen", cluster.listen, Address, "Address and port to listen at for other nodes";
    "cluster.advertise", cluster.advertise, HostIfAny, "Where other nodes reach this one; where it listens, if nothing is said";
    "cluster.election_timeout", cluster.election_timeout, Duration(100, 10 * SECOND_MS), "How long nodes may hear nothing of a leader before they elect another, which takes up to three times as long; longer than a sync of the disk ever takes";
    "cluster.request_timeout", cluster.request_timeout, Duration(100, 600 * SECOND_MS), "How long a request waits for a majority of the nodes before it is told that there is none";
    "cluster.join_timeout", cluster.join_timeout, Duration(100, 600 * SECOND_MS), "How long a new node goes on asking to be let in";
    "cluster.gone_after", cluster.gone_after, Duration(0, WEEK_MS), "How long a node may not answer before its replicas are made anew on others; 0ms for ever";
    "cluster.snapshot_bytes_per_second", cluster.snapshot_bytes_per_second, Bytes(0, TIB), "Bytes a second that a replica on its way to another node may take; 0 for no bound";
    "tls.cert", tls.cert, PathIfAny, "PEM file with the chain of certificates, the server's own first; none for no TLS";
    "tls.key", tls.key, PathIfAny, "PEM file with the private key";
    "log.filter", log_filter, Filter, "What is logged, in the syntax of tracing: warn, or info,vectordoc=debug";
    "log.format", log_format, Choice(&["text", "json"]), "How log lines are written";
    "log.slow_query", log_slow_query, Duration(0, HOUR_MS), "A request that works for so long is logged, with what it asked for; 0ms for none";
    "otel.endpoint", otel_endpoint, Collector, "Collector of OpenTelemetry that gets a span for each request, by OTLP over gRPC: http://127.0.0.1:4317; none for no traces";
    "database.history_bytes", database.history_bytes, Bytes(0, TIB), "Bytes of changes that each database keeps for who follows it; 0 for none";
    "database.memory_bytes_max", database.memory_bytes_max, Bytes(0, 1024 * TIB), "Bytes of memory that each database may take; 0 for no bound";
    "database.disk_bytes_free_min", database.disk_bytes_free_min, Bytes(0, 1024 * TIB), "Bytes that stay free on the disk; 0 for none";
    "database.waiting_writes_max", database.waiting_writes_max, Count(1, 1_000_000), "Writes that may wait for one shard";
    "serverless.all", serverless.by_default, Switch, "Whether databases that do not say leave memory while they are idle, to be opened by the next request";
    "serverless.idle", serverless.idle, Duration(100, WEEK_MS), "How long such a database is without a request before it leaves memory, unless it says";
    "serverless.awake_max", serverless.awake_max, Count(1, 100_000), "Such databases in memory at the same time; before another one comes, the one goes that was not used for longest";
    "serverless.storage", bucket.url, Bucket, "Where such databases rest, so that any node can wake them: s3://BUCKET/PREFIX, with credentials from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or what else AWS gives; none for the disk";
    "serverless.endpoint", bucket.endpoint, Endpoint, "Web service of that bucket, such as http://127.0.0.1:9000; none for AWS";
    "serverless.region", bucket.region, Word, "Region of that bucket; what AWS_REGION says, or us-east-1, if nothing is said";
    "serverless.lease", bucket.lease, Duration(500, HOUR_MS), "How long a node may keep such a database awake without hearing of the bucket; then it stops, and another may wake it";
    "serverless.node", bucket.node, Word, "What this node is called where others say that it has a database; the name of the machine, if nothing is said";
    "serverless.keep", bucket.keep, Switch, "Whether what is in the bucket stays on the disk, too, so that it wakes sooner";
    "limits.message_bytes_max", limits.message_bytes_max, Bytes(KIB, GIB), "Bytes of one message of a client";
    "limits.answer_bytes_max", limits.answer_bytes_max, Bytes(KIB, GIB), "Bytes of one answer";
    "limits.unread_bytes_max", limits.unread_bytes_max, Bytes(KIB, 64 * GIB), "Bytes of answers of one connection that its client has not read; at so many its requests wait";
    "limits.unread_all_bytes_max", limits.unread_all_bytes_max, Bytes(KIB, TIB), "The same of all connections together";
    "limits.in_flight_max", limits.in_flight_max, Count(1, 100_000), "Requests of one connection that are not answered yet";
    "limits.batch_requests_max", limits.batch_requests_max, Count(1, 100_000), "Requests in one JSON-RPC batch";
    "limits.subscriptions_max", limits.subscriptions_max, Count(0, 10_000), "Subscriptions of one connection";
    "limits.live_interval", limits.live_interval, Duration(1, HOUR_MS), "The least time between two looks of a subscription to a search";
    "limits.connections_max", limits.connections_max, Count(1, 1_000_000), "Open connections";
    "limits.connections_per_peer_max", limits.connections_per_peer_max, Count(1, 1_000_000), "Open connections of one address, which behind a proxy is that of all";
    "limits.ping_interval", limits.ping_interval, Duration(100, HOUR_MS), "How often the server asks whether a client lives";
    "limits.write_timeout", limits.write_timeout, Duration(100, HOUR_MS), "How long one answer, or 64 KiB of one over HTTP, may take to leave";
    "limits.handshake_timeout", limits.handshake_timeout, Duration(100, HOUR_MS), "How long a new connection may take to say what it wants";
    "limits.body_timeout", limits.body_timeout, Duration(100, HOUR_MS), "How long the next 64 KiB of a request's body may take";
    "limits.drain_timeout", limits.drain_timeout, Duration(0, HOUR_MS), "How long a shutdown waits for accepted requests";
}

/// The place of the setting called `key` in the table.
pub(crate) fn place_of(key: &str) -> Option<usize> {
    SETTINGS.iter().position(|setting| setting.key == key)
}

/// Does not compile when a bound is in [`Limits`] and not among its names, which a test finds in the
/// table.
#[cfg(test)]
macro_rules! limits {
    ($($name:ident),* $(,)?) => {
        fn every_limit(limits: Limits) -> Vec<&'static str> {
            let Limits { $($name: _),* } = limits;
            vec![$(concat!("limits.", stringify!($name))),*]
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Limits,
        cli::config::{
            kind::{Kind, Value},
            settings::Settings,
        },
    };

    limits!(
        message_bytes_max,
        answer_bytes_max,
        unread_bytes_max,
        unread_all_bytes_max,
        in_flight_max,
        batch_requests_max,
        subscriptions_max,
        live_interval,
        connections_max,
        connections_per_peer_max,
        ping_interval,
        write_timeout,
        handshake_timeout,
        body_timeout,
        drain_timeout,
    );

    #[test]
    fn every_limit_is_a_setting() {
        for name in every_limit(Limits::default()) {
            assert!(place_of(name).is_some(), "{name} is no setting");
        }
    }

    #[test]
    fn names_are_there_once() {
        let names = |of: fn(&Setting) -> String| {
            let mut names: Vec<_> = SETTINGS.iter().map(of).collect();
            names.sort_unstable();
            names.dedup();
            names.len()
        };
        assert_eq!(names(|setting| setting.key.to_owned()), SETTINGS.len());
        assert_eq!(names(Setting::flag), SETTINGS.len());
        assert_eq!(names(Setting::variable), SETTINGS.len());
    }

    #[test]
    fn every_default_is_a_value_of_its_kind_and_reads_back() {
        let defaults = Settings::default();
        for setting in SETTINGS {
            let value = (setting.get)(&defaults);
            let written = setting.kind.to_toml(&value);
            let text = written.trim_matches(['"', '\'']);
            let read = match &value {
                Value::List(items) if items.is_empty() => Ok(value.clone()),
                _ => setting.kind.read(text),
            };
            assert_eq!(read, Ok(value), "{} = {written}", setting.key);
        }
    }

    #[test]
    fn every_bound_is_tested_at_its_edge() {
        for setting in SETTINGS {
            let (min, max, unit) = match setting.kind {
                Kind::Count(min, max) | Kind::Bytes(min, max) => (min, max, ""),
                Kind::Duration(min, max) => (min, max, "ms"),
                _ => continue,
            };
            let read = |number: u64| setting.kind.read(&format!("{number}{unit}"));
            assert!(read(min).is_ok() && read(max).is_ok(), "{}", setting.key);
            let over = read(max + 1).expect_err("it is over the bound");
            assert!(over.contains(&(max + 1).to_string()), "{over}");
            assert!(min == 0 || read(min - 1).is_err(), "{}", setting.key);
            let mut settings = Settings::default();
            let value = read(max).expect("it is allowed");
            assert!((setting.set)(&mut settings, value.clone()), "{}", setting.key);
            assert_eq!((setting.get)(&settings), value);
        }
    }
}
