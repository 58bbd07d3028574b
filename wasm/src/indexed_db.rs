//! A store in IndexedDB, where bytes rest in browsers.
//!
//! Nothing waits for ever: what the browser does not answer in time is given up, and the connection
//! with it. The next operation opens a new one.

use crate::failure::Failure;
use futures_util::future::{Either, select};
use indexed_db_futures::{
    KeyRange,
    database::Database,
    error::{Error as IdbError, OpenDbError},
    factory::DBFactory,
    internals::SystemRepr,
    prelude::*,
    transaction::{Transaction, TransactionDurability, TransactionMode, TransactionOptions},
};
use js_sys::{Array, Function, Map, Uint8Array};
use std::{
    cell::{Cell, RefCell},
    pin::pin,
    rc::Rc,
};
use tokio::sync::Notify;
use vectordoc::{Error, ErrorKind, Result};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::IdbOpenDbRequest;

/// The one object store of a database.
const ENTRIES: &str = "entries";
/// The version of IndexedDB's schema; the format of the entries has its own.
const VERSION: u32 = 1;
/// Milliseconds until an operation that the browser does not answer is given up.
const DEADLINE_MS: i32 = 8_000;
/// Bytes to write for which a millisecond more is given: even slow disks take more.
const BYTES_PER_MS: i32 = 4 * 1024;

/// A database of IndexedDB, from keys to bytes.
#[wasm_bindgen]
pub struct IndexedDb {
    name: String,
    durability: TransactionDurability,
    connection: RefCell<Option<Rc<Connection>>>,
    /// Bytes that are being written; whatever is asked for meanwhile waits for them.
    under_way: Cell<i32>,
    is_closed: Cell<bool>,
}

#[wasm_bindgen]
impl IndexedDb {
    /// Opens a database, which is empty if there was none of that name.
    pub async fn open(
        name: String,
        durability: TransactionDurability,
    ) -> Result<IndexedDb, Failure> {
        let connection = RefCell::new(Some(Connection::open(&name, Missing::IsMade).await?));
        let under_way = Cell::new(0);
        Ok(Self { name, durability, connection, under_way, is_closed: Cell::new(false) })
    }

    /// Deletes a database, also one that is not there.
    pub async fn remove(name: String) -> Result<(), Failure> {
        let request = factory()?.delete_db(&name).map_err(refusal)?;
        let blocked = Rc::<Notify>::default();
        let on_blocked = notifier(&blocked);
        let handle: IdbOpenDbRequest = request.as_sys().clone().unchecked_into();
        handle.set_onblocked(Some(on_blocked.as_ref().unchecked_ref()));
        let removed = answered(request, DEADLINE_MS, &blocked).await;
        handle.set_onblocked(None);
        let in_use = |_| Error::busy(format!("{name:?} is in use; it is deleted once closed"));
        Ok(removed.map_err(in_use)?.map_err(refusal)?)
    }

    /// The keys between `first` and `last`, both included, in order.
    pub async fn keys(&self, first: String, last: String) -> Result<Array, Failure> {
        let range = KeyRange::Bound(first, false, last, false);
        let read = async |transaction: Transaction<'_>| {
            let store = transaction.object_store(ENTRIES)?;
            let keys = store.get_all_keys::<JsValue>().with_query::<String, _>(range);
            keys.primitive()?.await?.collect()
        };
        self.transact(TransactionMode::Readonly, read).await
    }

    /// The values of the keys between `first` and `last`, both included, in order of the keys.
    pub async fn values(&self, first: String, last: String) -> Result<Array, Failure> {
        let range = KeyRange::Bound(first, false, last, false);
        let read = async |transaction: Transaction<'_>| {
            let store = transaction.object_store(ENTRIES)?;
            let values = store.get_all::<JsValue>().with_query::<String, _>(range);
            values.primitive()?.await?.collect()
        };
        self.transact(TransactionMode::Readonly, read).await
    }

    /// The values of `keys`, in their order, `undefined` for one that is not there.
    pub async fn pick(&self, keys: Array) -> Result<Array, Failure> {
        let read = async |transaction: Transaction<'_>| {
            let store = transaction.object_store(ENTRIES)?;
            // All are asked for before the first is waited for.
            let request = |key| store.get::<JsValue, JsValue, _>(key).primitive();
            let requests = keys.iter().map(request).collect::<Result<Vec<_>, _>>()?;
            let values = Array::new();
            for request in requests {
                values.push(&request.await?.unwrap_or_default());
            }
            Ok(values)
        };
        self.transact(TransactionMode::Readonly, read).await
    }

    /// Stores the bytes of each key, or removes the key where they are `undefined`: all or nothing.
    pub async fn write(&self, entries: Map) -> Result<(), Failure> {
        let write = async |transaction: Transaction<'_>| {
            let store = transaction.object_store(ENTRIES)?;
            let mut begun = Ok(());
            entries.for_each(&mut |value, key| {
                if begun.is_ok() {
                    begun = if value.is_undefined() {
                        store.delete(key).build().map(drop)
                    } else {
                        store.put(alone(value.unchecked_into())).with_key(key).build().map(drop)
                    };
                }
            });
            begun?;
            commit(transaction).await
        };
        let bytes = bytes_of(&entries);
        self.under_way.set(self.under_way.get().saturating_add(bytes));
        let written = self.transact(TransactionMode::Readwrite, write).await;
        self.under_way.set(self.under_way.get().saturating_sub(bytes));
        written
    }

    /// Lets go of the database once the operations under way are done.
    pub fn close(&self) {
        self.is_closed.set(true);
        self.connection.take();
    }
}

impl IndexedDb {
    /// Does something in a transaction. If the connection turns out to be closed before it begins,
    /// it is opened anew, once.
    async fn transact<T>(
        &self,
        mode: TransactionMode,
        work: impl AsyncFnOnce(Transaction<'_>) -> Result<T, IdbError>,
    ) -> Result<T, Failure> {
        let deadline_ms = DEADLINE_MS.saturating_add(self.under_way.get() / BYTES_PER_MS);
        let mut is_reopened = false;
        loop {
            let connection = self.connection().await?;
            match connection.begin(mode, self.durability) {
                Ok(transaction) => {
                    let work = pin!(work(transaction));
                    let done = match answered(work, deadline_ms, &connection.lost).await {
                        Ok(done) => done.map_err(refusal),
                        Err(_) => Err(unanswered()),
                    };
                    if done.as_ref().is_err_and(|error| error.kind() == ErrorKind::Unavailable) {
                        self.forget(&connection);
                    }
                    return Ok(done?);
                }
                Err(error) if is_reopened => return Err(refusal(error).into()),
                Err(_) => self.forget(&connection),
            }
            is_reopened = true;
        }
    }

    /// The connection, opened anew if it was lost. A database that is no longer there is not made: it
    /// would pass for one that was always empty.
    async fn connection(&self) -> Result<Rc<Connection>> {
        if self.is_closed.get() {
            return Err(Error::closed(format!("{:?} was closed", self.name)));
        }
        let connection = self.connection.borrow().clone();
        if let Some(connection) = connection {
            return Ok(connection);
        }
        let connection = Connection::open(&self.name, Missing::IsRefused).await?;
        *self.connection.borrow_mut() = Some(Rc::clone(&connection));
        Ok(connection)
    }

    /// Lets go of a connection that is of no use any more.
    fn forget(&self, lost: &Rc<Connection>) {
        self.connection.borrow_mut().take_if(|connection| Rc::ptr_eq(connection, lost));
    }
}

/// What to do where there is no database of a name.
#[derive(Clone, Copy, PartialEq)]
enum Missing {
    IsMade,
    IsRefused,
}

/// An open database, closed when dropped.
struct Connection {
    database: Database,
    /// Notified when the browser closes the database or does not answer.
    lost: Rc<Notify>,
    /// What the database calls.
    _listeners: [Closure<dyn FnMut()>; 2],
}

impl Connection {
    async fn open(name: &str, missing: Missing) -> Result<Rc<Self>> {
        let upgrade = move |_, database: Database| {
            let store = database.create_object_store(ENTRIES).build()?;
            if missing == Missing::IsRefused {
                store.transaction().as_sys().abort()?;
            }
            Ok(())
        };
        let request = factory()?.open_db(name).with_version(VERSION);
        let request = request.with_on_upgrade_needed(upgrade).build().map_err(not_open)?;
        let lost = Rc::<Notify>::default();
        match answered(request, DEADLINE_MS, &lost).await {
            Ok(opened) => Ok(Self::listening(opened.map_err(not_open)?, lost)),
            Err(late) => {
                // A connection nobody has would stand in the way of others.
                spawn_local(async { late.await.map_or((), Database::close) });
                Err(unanswered())
            }
        }
    }

    fn listening(database: Database, lost: Rc<Notify>) -> Rc<Self> {
        let on_close = notifier(&lost);
        // Others may then upgrade or delete the database; the next operation opens it anew.
        let yielding = database.clone();
        let on_version_change = Closure::new(move || yielding.clone().close());
        database.as_sys().set_onclose(Some(on_close.as_ref().unchecked_ref()));
        database.as_sys().set_onversionchange(Some(on_version_change.as_ref().unchecked_ref()));
        Rc::new(Self { database, lost, _listeners: [on_close, on_version_change] })
    }

    fn begin(
        &self,
        mode: TransactionMode,
        durability: TransactionDurability,
    ) -> Result<Transaction<'_>, IdbError> {
        let options = TransactionOptions::new().with_durability(durability);
        self.database.transaction(ENTRIES).with_mode(mode).with_options(options).build()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.database.as_sys().set_onclose(None);
        self.database.as_sys().set_onversionchange(None);
        self.database.as_sys().close();
    }
}

/// Waits until the transaction is complete.
async fn commit(transaction: Transaction<'_>) -> Result<(), IdbError> {
    let handle = transaction.as_sys().clone();
    let done = transaction.commit().await;
    // When space runs out the puts succeed, and it is the transaction that says why it failed.
    done.map_err(|error| handle.error().map_or(error, Into::into))
}

/// Bytes of all values.
fn bytes_of(entries: &Map) -> i32 {
    let mut bytes = 0_i32;
    entries.for_each(&mut |value, _| {
        let length = value.dyn_ref::<Uint8Array>().map_or(0, Uint8Array::length);
        bytes = bytes.saturating_add(i32::try_from(length).unwrap_or(i32::MAX));
    });
    bytes
}

/// The value, alone in its buffer: IndexedDB stores the whole buffer behind an array.
fn alone(value: Uint8Array) -> JsValue {
    if value.length() == value.buffer().byte_length() {
        value.into()
    } else {
        value.slice(0, value.length()).into()
    }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Function, ms: i32) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue);
}

/// What an operation comes to; or the operation, if first `lost` is notified or time is up.
async fn answered<F: Future + Unpin>(
    operation: F,
    deadline_ms: i32,
    lost: &Rc<Notify>,
) -> Result<F::Output, F> {
    let overdue = notifier(lost);
    let timer = set_timeout(overdue.as_ref().unchecked_ref(), deadline_ms);
    let answer = match select(operation, pin!(lost.notified())).await {
        Either::Left((answer, _)) => Ok(answer),
        Either::Right(((), operation)) => Err(operation),
    };
    clear_timeout(&timer);
    answer
}

fn notifier(notify: &Rc<Notify>) -> Closure<dyn FnMut()> {
    let notify = Rc::clone(notify);
    Closure::new(move || notify.notify_waiters())
}

fn factory() -> Result<DBFactory> {
    DBFactory::new().map_err(not_open)
}

/// Why a database could not be opened.
fn not_open(error: OpenDbError) -> Error {
    match error {
        OpenDbError::Base(error) => refusal(error),
        // The crate says so whatever the call throws; the version is never zero.
        OpenDbError::VersionZero => no_store("access is denied"),
        _ => no_store("there is none"),
    }
}

fn refusal(error: IdbError) -> Error {
    let IdbError::DomException(exception) = &error else {
        return Error::unavailable("IndexedDB failed and does not say why");
    };
    let message = exception.message();
    match exception.as_sys().name().as_str() {
        "QuotaExceededError" => {
            Error::full(format!("the browser has no more space for this site: {message}"))
        }
        "VersionError" => Error::unsupported(format!(
            "the database was stored by a newer vectordoc; reload the page to get it: {message}"
        )),
        "SecurityError" => no_store(&message),
        "AbortError" => {
            Error::closed("the browser or another tab deleted the database; open it again")
        }
        "DataError" | "DataCloneError" => Error::invalid(message),
        name => Error::unavailable(format!("IndexedDB failed: {name}: {message}")),
    }
}

fn no_store(why: &str) -> Error {
    Error::unavailable(format!(
        "this page cannot use IndexedDB: {why}; keep the database in memory by store: \"memory\""
    ))
}

fn unanswered() -> Error {
    Error::unavailable(
        "the browser closed the database or does not answer; whether a write happened is not known",
    )
}
