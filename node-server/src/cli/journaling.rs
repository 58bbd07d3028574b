//! What the service logs about databases, into the journal that `db.logs` reads.

use crate::telemetry::Journal;
use std::fmt::{self, Write};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    filter::Targets,
    layer::Context,
    registry::{LookupSpan, Registry},
};

/// Adds to the journal.
struct Journaling;

/// The layer that keeps the journal: what happens to databases, and of requests what fails or is slow.
pub(super) fn layer() -> Box<dyn Layer<Registry> + Send + Sync> {
    Journal::of_process().keep();
    let kept = Targets::new()
        .with_target("vectordoc_server", LevelFilter::INFO)
        .with_target("vectordoc::slow", LevelFilter::WARN)
        .with_target("vectordoc::request", LevelFilter::ERROR);
    Journaling.with_filter(kept).boxed()
}

/// The database that a span is about.
struct About(String);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Journaling {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let (Some(db), Some(span)) = (fields.db, context.span(id)) {
            span.extensions_mut().replace(About(db));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        if let (Some(db), Some(span)) = (fields.db, context.span(id)) {
            span.extensions_mut().replace(About(db));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let of_span = || {
            let span = context.lookup_current()?;
            let extensions = span.extensions();
            extensions.get::<About>().map(|About(db)| db.clone())
        };
        let Some(db) = fields.db.take().or_else(of_span) else { return };
        let message = format!("{}{}", fields.message, fields.others);
        Journal::of_process().add(db, event.metadata().level().as_str(), message);
    }
}

/// What an event or a span says.
#[derive(Default)]
struct Fields {
    db: Option<String>,
    message: String,
    others: String,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "db" => self.db = Some(value.to_owned()),
            _ => self.record_debug(field, &format_args!("{value}")),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // A string takes whatever is written.
        let _ = match field.name() {
            "db" => {
                self.db = Some(format!("{value:?}"));
                Ok(())
            }
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.others, " {name}={value:?}"),
        };
    }
}
