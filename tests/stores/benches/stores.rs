//! Compares embedded key-value stores under the pattern of one durable shard: an ordered map from
//! byte keys to byte values with atomic batches, in a file or folder of its own.
//!
//! Every round runs each store in a fresh folder, in rotating order, through these steps:
//!
//! * (a) records of 100 documents of 2 KB: one put and one synced commit each;
//! * (b) records of one document: one put, then 64 puts, per synced commit;
//! * (c) a checkpoint: 1,200 pages in transactions of 8 MiB, the last one synced, then a synced
//!   transaction deleting the records; and a next one, which deletes the pages of the first;
//! * (d) a new process opens the store and sums every page (from the page cache), against
//!   `std::fs::read` of a plain file of the same bytes;
//! * (e) disk bytes over logical bytes after closing, and the time to compact.
//!
//! Values are incompressible. The first table gives figures as ratios to the append-only log of
//! the same round, the second raw figures; both are medians.
//!
//! Run with `cargo bench --manifest-path tests/stores/Cargo.toml`; `STORES_ROUNDS` sets the number of rounds (default 5).

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use fjall::{KeyspaceCreateOptions, KvSeparationOptions, PersistMode, config::CompressionPolicy};
use heed::types::Bytes;
use redb::{Durability, ReadableDatabase, ReadableTable, TableDefinition};

const DOCUMENT: usize = 2_000;
const BATCH: usize = 100;
const BATCHES: usize = 60;
const SINGLES: usize = 300;
const GROUP: usize = 64;
const GROUPS: usize = 20;
/// Leaves room for key and headers: redb allocates powers of two, so 64 KiB would take 128.
const PAGE: usize = (64 << 10) - 256;
const PAGES: usize = 1_200;
const TRANSACTION: usize = 8 << 20;
const LOGICAL: f64 = (PAGES * PAGE) as f64;
const CACHE: usize = 64 << 20;

type Result<T> = std::result::Result<T, Box<dyn Error>>;
/// One operation of a batch: a put, or a delete when there is no value.
type Op<'a> = (Vec<u8>, Option<&'a [u8]>);
type Visit<'a> = &'a mut dyn FnMut(&[u8]);

/// What the benchmark asks of a store.
trait Candidate {
    /// Applies `ops` atomically; durable on return when `synced`.
    fn commit(&mut self, ops: &[Op], synced: bool) -> Result<()>;
    /// Visits every value in key order.
    fn values(&self, visit: Visit) -> Result<()>;
    /// Gives free space back to the file system and closes; false where there is no such call.
    fn compact(self: Box<Self>) -> Result<bool> {
        Ok(false)
    }
}

/// Opens or creates a store in a folder.
type Open = fn(&Path) -> Result<Box<dyn Candidate>>;

const CANDIDATES: [(&str, Open); 6] = [
    ("log", |dir| Ok(Box::new(Log::open(dir)?))),
    ("redb", |dir| Ok(Box::new(Redb::open(dir, false)?))),
    ("redb quick", |dir| Ok(Box::new(Redb::open(dir, true)?))),
    ("fjall", |dir| Ok(Box::new(Fjall::open(dir)?))),
    ("heed (LMDB)", |dir| Ok(Box::new(Lmdb::open(dir)?))),
    ("rusqlite", |dir| Ok(Box::new(Sqlite::open(dir)?))),
];

/// The physical limit: keys and values appended to one file, without checksums.
struct Log(PathBuf, File);

impl Log {
    fn open(dir: &Path) -> Result<Self> {
        let path = dir.join("log");
        let file = File::options().append(true).create(true).open(&path)?;
        Ok(Self(path, file))
    }
}

/// Splits a length-prefixed item off the front.
fn take<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (item, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *bytes = rest;
    Some(item)
}

impl Candidate for Log {
    fn commit(&mut self, ops: &[Op], synced: bool) -> Result<()> {
        let mut batch = Vec::with_capacity(TRANSACTION + TRANSACTION / 64);
        for (key, value) in ops {
            for item in [key, value.unwrap_or_default()] {
                batch.extend((item.len() as u32).to_le_bytes());
                batch.extend(item);
            }
        }
        self.1.write_all(&batch)?;
        if synced {
            self.1.sync_data()?;
        }
        Ok(())
    }

    fn values(&self, visit: Visit) -> Result<()> {
        let (bytes, mut live) = (fs::read(&self.0)?, BTreeMap::new());
        let mut rest = bytes.as_slice();
        while let (Some(key), Some(value)) = (take(&mut rest), take(&mut rest)) {
            live.insert(key, value);
        }
        live.retain(|_, value| !value.is_empty());
        live.into_values().for_each(visit);
        Ok(())
    }
}

struct Redb {
    db: redb::Database,
    quick_repair: bool,
}

impl Redb {
    const TABLE: TableDefinition<'static, &'static [u8], &'static [u8]> =
        TableDefinition::new("kv");

    fn open(dir: &Path, quick_repair: bool) -> Result<Self> {
        let db = redb::Builder::new()
            .set_cache_size(CACHE)
            .create(dir.join("shard.redb"))?;
        Ok(Self { db, quick_repair })
    }
}

impl Candidate for Redb {
    fn commit(&mut self, ops: &[Op], synced: bool) -> Result<()> {
        let mut write = self.db.begin_write()?;
        if !synced {
            write.set_durability(Durability::None)?;
        }
        write.set_quick_repair(self.quick_repair);
        {
            let mut table = write.open_table(Self::TABLE)?;
            for (key, value) in ops {
                match value {
                    Some(value) => table.insert(key.as_slice(), *value)?,
                    None => table.remove(key.as_slice())?,
                };
            }
        }
        Ok(write.commit()?)
    }

    fn values(&self, visit: Visit) -> Result<()> {
        for pair in self.db.begin_read()?.open_table(Self::TABLE)?.iter()? {
            visit(pair?.1.value());
        }
        Ok(())
    }

    fn compact(mut self: Box<Self>) -> Result<bool> {
        self.db.compact()?;
        self.db.close()?;
        Ok(true)
    }
}

struct Fjall {
    db: fjall::Database,
    keyspace: fjall::Keyspace,
}

impl Fjall {
    fn open(dir: &Path) -> Result<Self> {
        let db = fjall::Database::builder(dir)
            .cache_size(CACHE as u64)
            .journal_compression(fjall::CompressionType::None)
            .open()?;
        let blobs = KvSeparationOptions::default().compression(fjall::CompressionType::None);
        let keyspace = db.keyspace("kv", || {
            KeyspaceCreateOptions::default()
                .with_kv_separation(Some(blobs))
                .data_block_compression_policy(CompressionPolicy::disabled())
        })?;
        Ok(Self { db, keyspace })
    }
}

impl Candidate for Fjall {
    fn commit(&mut self, ops: &[Op], synced: bool) -> Result<()> {
        let mode = if synced {
            PersistMode::SyncAll
        } else {
            PersistMode::Buffer
        };
        let mut batch = self.db.batch().durability(Some(mode));
        for (key, value) in ops {
            match value {
                Some(value) => batch.insert(&self.keyspace, key.as_slice(), *value),
                None => batch.remove(&self.keyspace, key.as_slice()),
            }
        }
        Ok(batch.commit()?)
    }

    fn values(&self, visit: Visit) -> Result<()> {
        for guard in self.keyspace.iter() {
            visit(&guard.value()?);
        }
        Ok(())
    }

    fn compact(self: Box<Self>) -> Result<bool> {
        // Both are public but hidden from its documentation: nothing else compacts on demand.
        self.keyspace.rotate_memtable_and_wait()?;
        self.keyspace.major_compact()?;
        Ok(true)
    }
}

struct Lmdb {
    path: PathBuf,
    env: heed::Env,
    db: heed::Database<'static, Bytes, Bytes>,
}

impl Lmdb {
    fn open(dir: &Path) -> Result<Self> {
        // SAFETY: only LMDB writes to this folder, and it stays on a local disk.
        let env = unsafe { heed::EnvOpenOptions::new().map_size(4 << 30).open(dir)? };
        let opened = env.create_databases_and_commit(env.write_txn()?, |opener, write| {
            opener
                .create_database(write, None)
                .map(heed::CommitOrAbort::<_, ()>::Commit)
        });
        let db = opened?.commit().ok_or("LMDB did not open its database")?;
        Ok(Self {
            path: dir.join("data.mdb"),
            env,
            db,
        })
    }
}

impl Candidate for Lmdb {
    /// Always synced: LMDB chooses this per environment, not per transaction.
    fn commit(&mut self, ops: &[Op], _synced: bool) -> Result<()> {
        let mut write = self.env.write_txn()?;
        for (key, value) in ops {
            match value {
                Some(value) => self.db.put(&mut write, key, value)?,
                None => drop(self.db.delete(&mut write, key)?),
            }
        }
        Ok(write.commit()?)
    }

    fn values(&self, visit: Visit) -> Result<()> {
        let read = self.env.read_txn()?;
        for pair in self.db.iter(&read)? {
            visit(pair?.1);
        }
        Ok(())
    }

    fn compact(self: Box<Self>) -> Result<bool> {
        let fresh = self.path.with_extension("new");
        let copy = self
            .env
            .copy_to_path(&fresh, heed::CompactionOption::Enabled)?;
        copy.sync_all()?;
        self.env.prepare_for_closing().wait();
        fs::rename(fresh, self.path)?;
        Ok(true)
    }
}

struct Sqlite(rusqlite::Connection);

impl Sqlite {
    fn open(dir: &Path) -> Result<Self> {
        let connection = rusqlite::Connection::open(dir.join("shard.sqlite"))?;
        connection.execute_batch(
            "PRAGMA busy_timeout = 0; PRAGMA page_size = 16384; PRAGMA locking_mode = EXCLUSIVE;
             PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;
             CREATE TABLE IF NOT EXISTS kv (k BLOB PRIMARY KEY, v BLOB NOT NULL);",
        )?;
        Ok(Self(connection))
    }
}

impl Candidate for Sqlite {
    fn commit(&mut self, ops: &[Op], synced: bool) -> Result<()> {
        self.0
            .pragma_update(None, "synchronous", if synced { "FULL" } else { "NORMAL" })?;
        let write = self.0.transaction()?;
        {
            let mut put = write.prepare_cached("INSERT OR REPLACE INTO kv VALUES (?1, ?2)")?;
            let mut delete = write.prepare_cached("DELETE FROM kv WHERE k = ?1")?;
            for (key, value) in ops {
                match value {
                    Some(value) => put.execute((key, value))?,
                    None => delete.execute((key,))?,
                };
            }
        }
        Ok(write.commit()?)
    }

    fn values(&self, visit: Visit) -> Result<()> {
        let mut select = self.0.prepare("SELECT v FROM kv ORDER BY k")?;
        let mut rows = select.query(())?;
        while let Some(row) = rows.next()? {
            visit(row.get_ref(0)?.as_blob()?);
        }
        Ok(())
    }

    fn compact(self: Box<Self>) -> Result<bool> {
        self.0
            .execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")?;
        Ok(true)
    }
}

/// The labelled figures of one store in one round, in the same order for every store.
type Figures = Vec<(&'static str, f64)>;
/// How many of them, from the first, the log gives a scale to.
const COMPARED: usize = 6;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, mode, index, dir] = arguments.as_slice()
        && mode == "read"
    {
        return read_pages(CANDIDATES[index.parse::<usize>()?].1, Path::new(dir));
    }
    let rounds = std::env::var("STORES_ROUNDS").map_or(Ok(5), |rounds| rounds.parse())?;
    let pool = noise(4 << 20);
    let mut rows = [const { Vec::<Figures>::new() }; CANDIDATES.len()];
    for round in 0..rounds {
        for turn in 0..CANDIDATES.len() {
            let index = (round + turn) % CANDIDATES.len();
            let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
            rows[index].push(measure(index, dir.path(), &pool)?);
        }
    }
    print_table("Ratio to the log", &rows, COMPARED, |own, log| own / log);
    print_table("Raw", &rows, usize::MAX, |own, _| own);
    Ok(())
}

/// Runs every step on one store.
fn measure(index: usize, root: &Path, pool: &[u8]) -> Result<Figures> {
    let (open, dir) = (CANDIDATES[index].1, root.join("store"));
    fs::create_dir(&dir)?;
    let (mut store, mut figures, mut written) = (open(&dir)?, Vec::new(), 0);
    for (label, commits, puts, documents) in [
        ("(a) batches of 100, docs/s", BATCHES, 1, BATCH),
        ("(b) single, writes/s", SINGLES, 1, 1),
        ("(b) groups of 64, writes/s", GROUPS, GROUP, 1),
    ] {
        let start = Instant::now();
        for _ in 0..commits {
            let put = |n| (record_key(n), Some(value(pool, n, DOCUMENT * documents)));
            let ops: Vec<Op> = (written..written + puts).map(put).collect();
            store.commit(&ops, true)?;
            written += puts;
        }
        let documents = (commits * puts * documents) as f64;
        figures.push((label, documents * 1e3 / millis(start)));
    }

    let first = checkpoint(&mut *store, pool, 0, (0..written).map(record_key))?;
    drop(store);
    let first_disk = disk_bytes(&dir)? / LOGICAL;
    let reads = read_in_child(index, &dir, pool)?;

    let mut store = open(&dir)?;
    let stale = (0..PAGES).map(|page| page_key(page, 0));
    let next = checkpoint(&mut *store, pool, 1, stale)?;
    drop(store);
    let next_disk = disk_bytes(&dir)? / LOGICAL;

    let (store, start) = (open(&dir)?, Instant::now());
    let compacted = if store.compact()? { 1.0 } else { f64::NAN };
    let compaction = compacted * millis(start);
    figures.extend([
        ("(c) first checkpoint, MB/s", first),
        ("(c) next checkpoint, MB/s", next),
        ("(d) open and read, ms", reads[1]),
        ("(d) open, ms", reads[0]),
        ("(d) open and read / `fs::read`", reads[2]),
        ("(e) disk / logical, first", first_disk),
        ("(e) disk / logical, next", next_disk),
        (
            "(e) disk / logical, compacted",
            compacted * disk_bytes(&dir)? / LOGICAL,
        ),
        ("(e) compaction, ms", compaction),
    ]);
    Ok(figures)
}

/// Writes every page of a generation, then deletes the `stale` keys; MB/s of pages.
fn checkpoint(
    store: &mut dyn Candidate,
    pool: &[u8],
    generation: usize,
    stale: impl Iterator<Item = Vec<u8>>,
) -> Result<f64> {
    let pages: Vec<usize> = (0..PAGES).collect();
    let start = Instant::now();
    for chunk in pages.chunks(TRANSACTION / PAGE) {
        let put = |&page| (page_key(page, generation), Some(value(pool, page, PAGE)));
        let ops: Vec<Op> = chunk.iter().map(put).collect();
        store.commit(&ops, chunk.last() == pages.last())?;
    }
    let deletes: Vec<Op> = stale.map(|key| (key, None)).collect();
    store.commit(&deletes, true)?;
    Ok(LOGICAL / 1e3 / millis(start))
}

/// The figures of [`read_pages`] from a new process: a warm heap would halve some of them.
fn read_in_child(index: usize, dir: &Path, pool: &[u8]) -> Result<[f64; 3]> {
    let mut plain = File::create(dir.with_extension("plain"))?;
    (0..PAGES).try_for_each(|page| plain.write_all(value(pool, page, PAGE)))?;
    plain.sync_all()?;
    let mut child = Command::new(std::env::current_exe()?);
    let output = child.arg("read").arg(index.to_string()).arg(dir).output()?;
    let output = String::from_utf8(if output.status.success() {
        output.stdout
    } else {
        output.stderr
    })?;
    let figures: Vec<f64> = output
        .split_whitespace()
        .map_while(|figure| figure.parse().ok())
        .collect();
    Ok(figures.try_into().map_err(|_| output)?)
}

/// Prints the time to open the store, that to open it and sum every page, and the latter over
/// the time to read and sum a plain file of the same bytes.
fn read_pages(open: Open, dir: &Path) -> Result<()> {
    let (start, mut found) = (Instant::now(), 0_u64);
    let store = open(dir)?;
    let opened = millis(start);
    store.values(&mut |page| found = found.wrapping_add(sum(page)))?;
    let read = millis(start);
    let start = Instant::now();
    let plain = sum(&fs::read(dir.with_extension("plain"))?);
    println!("{opened} {read} {}", read / millis(start));
    if found == plain {
        Ok(())
    } else {
        Err("the bytes read are not those written".into())
    }
}

/// Bytes allocated to the files below a folder (their lengths where only those are known).
fn disk_bytes(dir: &Path) -> Result<f64> {
    let mut bytes = 0.0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        #[cfg(unix)]
        let own = std::os::unix::fs::MetadataExt::blocks(&metadata) * 512;
        #[cfg(not(unix))]
        let own = metadata.len();
        bytes += if metadata.is_dir() {
            disk_bytes(&entry.path())?
        } else {
            own as f64
        };
    }
    Ok(bytes)
}

fn record_key(n: usize) -> Vec<u8> {
    [b"record/".as_slice(), &(n as u64).to_be_bytes()].concat()
}

fn page_key(page: usize, generation: usize) -> Vec<u8> {
    format!("page/{}/{page:06}/{generation:06}", page % 4).into_bytes()
}

/// The `n`-th value of a length: a window into the pool of noise.
fn value(pool: &[u8], n: usize, length: usize) -> &[u8] {
    let start = n * 7_919 * 64 % (pool.len() - length + 1);
    &pool[start..start + length]
}

/// Incompressible bytes, the same every time (xorshift).
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.flatten().take(length).collect()
}

fn sum(bytes: &[u8]) -> u64 {
    let words = bytes.as_chunks::<8>().0.iter();
    words.fold(0, |sum, word| sum.wrapping_add(u64::from_le_bytes(*word)))
}

fn millis(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// One line per figure, one column per store; `cell` combines a store's figure and the log's.
fn print_table(title: &str, rows: &[Vec<Figures>], lines: usize, cell: fn(f64, f64) -> f64) {
    let names = CANDIDATES.map(|(name, _)| name).join(" | ");
    println!(
        "| {title} | {names} |\n|---{}|",
        "|--:".repeat(CANDIDATES.len())
    );
    let labels = rows[0].first().into_iter().flatten();
    for (line, (label, _)) in labels.take(lines).enumerate() {
        print!("| {label} |");
        for own in rows {
            let rounds = own.iter().zip(&rows[0]);
            let cells = rounds.map(|(own, log)| cell(own[line].1, log[line].1));
            match median(cells.collect()) {
                figure if figure.is_nan() => print!(" – |"),
                figure if figure < 100.0 => print!(" {figure:.2} |"),
                figure => print!(" {figure:.0} |"),
            }
        }
        println!();
    }
    println!();
}
