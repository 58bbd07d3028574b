//! What is worth saying about a question, found out without answering it.

use super::{Engine, part::depth};
use crate::{
    Filter, Query, Result,
    column::{Reason, Unserved},
    filter::Bound,
    query::Warning,
    schema::FilterPath,
};
use alloc::{format, vec::Vec};

impl Engine {
    /// What to know about a filter: conditions that no index serves.
    pub fn warnings(&self, filter: &Filter) -> Result<Vec<Warning>> {
        if !filter.may_be_unserved() {
            return Ok(Vec::new());
        }
        let mut unserved = Vec::new();
        self.columns.add_unserved(&Bound::new(filter, &self.schema)?, &mut unserved);
        let paths = self.schema.filter_paths();
        let mut warnings = Vec::new();
        for unserved in unserved {
            Warning::merge(&mut warnings, &[warning(unserved, &paths)]);
        }
        Ok(warnings)
    }

    /// What to know about a search.
    pub fn search_warnings(&self, query: &Query) -> Result<Vec<Warning>> {
        let mut warnings = self.warnings(&query.filter)?;
        let used = depth(query);
        if let Some(asked) = query.ef
            && asked < used
            && query.vector.is_some()
            && !query.exact
        {
            warnings.push(Warning::SmallEf { asked, used });
        }
        Ok(warnings)
    }
}

fn warning(unserved: Unserved, paths: &[FilterPath]) -> Warning {
    let Unserved { number, reason, cost } = unserved;
    let path = paths[number].path.clone();
    match reason {
        Reason::Operator(operator) => Warning::Scan { path, operator, values: cost },
        Reason::Element(index) => {
            Warning::Element { path: format!("{path}.{index}"), documents: cost }
        }
        Reason::Comparison => Warning::FieldComparison { path, values: cost },
    }
}
