//! Documents that were read before: parsed once, checked once, found again by their text. Front ends send the same few documents over and
//! over, and reading one costs more than answering it. Bounded by memory; what is asked for most stays.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use async_graphql::Variables;
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};

use super::arguments::{self, BadValue, Places};
use super::guard::{self, Checked, GuardError, Measured};
use super::straight::Route;
use crate::config::Limits;

/// Weight of all documents, in bytes of their texts. A parsed document takes about ten times its text.
const CAPACITY: u64 = 2 << 20;
/// What a document weighs beside its text: a short one is more than ten times as large.
const WEIGHT: usize = 512;

/// A document that passed the guard's limits on text and tokens.
pub struct Prepared {
    /// The parsed document.
    pub document: ExecutableDocument,
    repeats: OnceLock<bool>,
    valid: AtomicBool,
    /// How its only operation is answered without the executor; inside `None` when it is not. Unset until somebody tried.
    route: OnceLock<Option<Arc<dyn Route>>>,
    asks_position: bool,
    measured: Measured,
    /// Inside `None` when each request has to be looked at as a whole.
    places: OnceLock<Option<Places>>,
}

/// Whether a document may ask where the change log of a workspace stands.
pub(super) fn asks_position(text: &str) -> bool {
    text.contains("changeCursor")
}

impl Prepared {
    /// Picks the operation and checks it, as [`guard::check`] does. `text` is the text of the document.
    pub fn check(
        &self,
        text: &str,
        operation_name: Option<&str>,
        variables: &mut Variables,
        limits: &Limits,
    ) -> Result<Checked, GuardError> {
        self.measured
            .check(text, &self.document, operation_name, variables, limits)
    }

    /// The values that cannot be read, as [`arguments::check`] tells them. To be asked only when the guard has measured the document.
    pub fn bad_values(&self, operation_name: Option<&str>, variables: &Variables) -> Vec<BadValue> {
        match self.places.get_or_init(|| Places::of(&self.document)) {
            Some(places) => places.check(&self.document, variables),
            None => arguments::check(&self.document, operation_name, variables),
        }
    }

    /// Whether some response key with a selection occurs twice beside itself, so that the executor has to merge its parts. To be asked
    /// only when the guard has measured the document: it must not have cycles.
    pub fn repeats(&self) -> bool {
        *self.repeats.get_or_init(|| {
            let operations = self.document.operations.iter();
            operations
                .map(|(_, operation)| &operation.node.selection_set.node)
                .any(|set| repeats(&self.document, set))
        })
    }

    /// Whether the document may ask where the change log of a workspace stands.
    pub(super) fn asks_position(&self) -> bool {
        self.asks_position
    }

    /// Whether the document was found to be valid for the schema.
    pub(super) fn is_valid(&self) -> bool {
        self.valid.load(Ordering::Relaxed)
    }

    pub(super) fn set_valid(&self) {
        self.valid.store(true, Ordering::Relaxed);
    }

    /// The way around the executor. Only a document that was found to be valid has one.
    pub(super) fn route(&self) -> Option<&Arc<dyn Route>> {
        self.route.get()?.as_ref().filter(|_| self.is_valid())
    }

    pub(super) fn is_decided(&self) -> bool {
        self.route.get().is_some()
    }

    /// Decides once for all how the document is answered; later decisions are the same.
    pub(super) fn decide(&self, route: Option<Arc<dyn Route>>) {
        self.route.get_or_init(|| route);
    }
}

fn repeats(document: &ExecutableDocument, set: &SelectionSet) -> bool {
    let mut below = Vec::new();
    if !distinct(document, set, &mut HashSet::new(), &mut below) {
        return true;
    }
    below.into_iter().any(|set| repeats(document, set))
}

/// Whether all composite keys of this level are different; collects their selections.
fn distinct<'a>(
    document: &'a ExecutableDocument,
    set: &'a SelectionSet,
    keys: &mut HashSet<&'a str>,
    below: &mut Vec<&'a SelectionSet>,
) -> bool {
    set.items.iter().all(|item| match &item.node {
        Selection::Field(field) => {
            let selection = &field.node.selection_set.node;
            if selection.items.is_empty() {
                return true;
            }
            below.push(selection);
            keys.insert(field.node.response_key().node.as_str())
        }
        Selection::InlineFragment(fragment) => {
            distinct(document, &fragment.node.selection_set.node, keys, below)
        }
        Selection::FragmentSpread(spread) => document
            .fragments
            .get(&spread.node.fragment_name.node)
            .is_none_or(|fragment| distinct(document, &fragment.node.selection_set.node, keys, below)),
    })
}

/// The documents that this process has read.
pub struct Documents(moka::sync::Cache<String, Arc<Prepared>>);

impl Default for Documents {
    fn default() -> Self {
        let cache = moka::sync::Cache::builder()
            .max_capacity(CAPACITY)
            .weigher(|text: &String, _| u32::try_from(text.len() + WEIGHT).unwrap_or(u32::MAX))
            .build();
        Self(cache)
    }
}

impl Documents {
    /// Reads a document, or finds it. The limits are those of the process: a document that passed them once passes them again.
    pub fn read(&self, text: &str, limits: &Limits) -> Result<Arc<Prepared>, GuardError> {
        if let Some(known) = self.0.get(text) {
            return Ok(known);
        }
        let prepared = Arc::new(Prepared {
            document: guard::read(text, limits)?,
            repeats: OnceLock::new(),
            valid: AtomicBool::new(false),
            route: OnceLock::new(),
            asks_position: asks_position(text),
            measured: Measured::default(),
            places: OnceLock::new(),
        });
        self.0.insert(text.to_owned(), prepared.clone());
        Ok(prepared)
    }
}

#[cfg(test)]
mod tests;
