//! What a parsed document asks for: how deep, how wide, how many points. Promises: work in proportion to the text of the document,
//! however often its fragments are used; fragments that contain themselves are refused.
//!
//! Points: every field costs one. A field with a page (it has `first` or `last`, or selects `edges` or `nodes`) multiplies what it
//! selects below objects (`edges`, `nodes`, `node`, …) by the page size: the argument, the variable or its default, at most
//! [`LARGEST_PAGE`], or [`DEFAULT_PAGE`] when neither is given. Plain values beside them and `pageInfo` count once. A list without
//! pages multiplies everything it selects: by the number of `ids` it is asked for, or by what such lists usually hold at most
//! ([`LISTS`]), so that lists inside lists are refused before they are read.

use std::collections::HashMap;

use async_graphql::parser::types::{ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql::{Name, Value, Variables};

use super::GuardError;
use crate::kernel::ErrorCode;

/// Page size when a client does not say one.
const DEFAULT_PAGE: u64 = 50;
/// No field returns larger pages; its resolver refuses larger numbers with a better message than this guard could.
const LARGEST_PAGE: u64 = 500;

/// The arguments that decide how large pages and lists are: all that a measure takes from variables.
pub(super) const SIZES: [&str; 3] = [FIRST, LAST, IDS];
const FIRST: &str = "first";
const LAST: &str = "last";
const IDS: &str = "ids";

/// Lists without pages, and how many objects of them are paid for.
const LISTS: [(&str, u64); 23] = [
    ("added", 20),
    ("apiTokens", 5),
    ("attendees", 5),
    ("calendars", 20),
    ("dependencies", 5),
    ("dependents", 5),
    ("integrations", 5),
    ("invitations", 10),
    ("jobQueues", 6),
    ("moved", 20),
    ("notificationPreferences", 10),
    ("problems", 20),
    ("reasons", 3),
    ("recentSyncs", 20),
    ("relaxations", 3),
    ("reminders", 3),
    ("removed", 20),
    ("scheduledSlots", 5),
    ("sessions", 5),
    ("slots", 50),
    ("subtasks", 5),
    ("unscheduledTasks", 10),
    ("workspaces", 3),
];
/// Lists without pages that may have thousands of objects, each of which leads to such a list again. Two on one path are never paid for by
/// what such lists usually hold, except right inside each other: sub-tasks of sub-tasks are no more than the tasks of their workspace, but
/// those of the parent of each sub-task are all of them again.
const LONG_LISTS: [&str; 6] = [
    "dependents",
    "eventOccurrences",
    "invitations",
    "occurrences",
    "scheduledSlots",
    "subtasks",
];
/// What waits for what, in both directions. The ways through it double with each task, so a path may go along it only so often.
const LINKS: [&str; 2] = ["dependencies", "dependents"];
/// No field takes more ids.
const MOST_IDS: u64 = 100;

/// What a selection asks for, fragments written out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Measure {
    /// Fields, this level and below.
    pub(super) fields: u64,
    /// Fields on this level.
    pub(super) width: u64,
    /// Levels of fields.
    pub(super) depth: usize,
    /// Points that are not multiplied by the page of the field above.
    once: u64,
    /// Points that are.
    per_item: u64,
    /// Whether this level selects the items of a page.
    selects_items: bool,
    /// Most long lists on a path that begins with one, those right inside each other counted once.
    long_here: usize,
    /// The same on all other paths.
    long_below: usize,
    /// Most links on one path.
    pub(super) links: usize,
    /// Most introspection lists inside each other on one path.
    schema_lists: usize,
    /// Whether `__schema` or `__type` is selected.
    pub(super) introspects: bool,
    /// Whether introspection lists lie inside each other so often that the answer explodes.
    pub(super) schema_explodes: bool,
}

impl Measure {
    /// Points of an operation with this selection.
    pub(super) fn points(&self) -> u64 {
        self.once.saturating_add(self.per_item)
    }

    /// Most long lists on one path.
    pub(super) fn long_lists(&self) -> usize {
        self.long_here.max(self.long_below)
    }

    fn add(&mut self, other: &Self) {
        self.fields = self.fields.saturating_add(other.fields);
        self.width = self.width.saturating_add(other.width);
        self.depth = self.depth.max(other.depth);
        self.once = self.once.saturating_add(other.once);
        self.per_item = self.per_item.saturating_add(other.per_item);
        self.selects_items |= other.selects_items;
        self.long_here = self.long_here.max(other.long_here);
        self.long_below = self.long_below.max(other.long_below);
        self.links = self.links.max(other.links);
        self.schema_lists = self.schema_lists.max(other.schema_lists);
        self.introspects |= other.introspects;
        self.schema_explodes |= other.schema_explodes;
    }
}

/// Measures the selections of one document; each fragment once.
pub(super) struct Meter<'a> {
    document: &'a ExecutableDocument,
    variables: &'a Variables,
    fragments: HashMap<&'a Name, Option<Measure>>,
}

/// Lists in the answer to an introspection query; three inside each other already multiply the whole schema.
const SCHEMA_LISTS: [&str; 4] = ["fields", "interfaces", "possibleTypes", "inputFields"];
const MAX_SCHEMA_LISTS: usize = 2;

impl<'a> Meter<'a> {
    /// `variables` must already contain the defaults of the operation.
    pub(super) fn new(document: &'a ExecutableDocument, variables: &'a Variables) -> Self {
        Self {
            document,
            variables,
            fragments: HashMap::new(),
        }
    }

    pub(super) fn measure(&mut self, selection: &'a SelectionSet) -> Result<Measure, GuardError> {
        let mut total = Measure::default();
        for item in &selection.items {
            let part = match &item.node {
                Selection::Field(field) => self.field(&field.node)?,
                Selection::InlineFragment(fragment) => self.measure(&fragment.node.selection_set.node)?,
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node)?,
            };
            total.add(&part);
        }
        Ok(total)
    }

    fn fragment(&mut self, name: &'a Name) -> Result<Measure, GuardError> {
        match self.fragments.get(name) {
            Some(Some(measure)) => return Ok(*measure),
            Some(None) => {
                let message = format!("The fragment `{name}` contains itself.");
                return Err(GuardError::new(ErrorCode::GraphqlValidationFailed, message));
            }
            None => {}
        }
        // An unknown fragment costs nothing here; validation names it.
        let Some(fragment) = self.document.fragments.get(name) else {
            return Ok(Measure::default());
        };
        self.fragments.insert(name, None);
        let measure = self.measure(&fragment.node.selection_set.node)?;
        self.fragments.insert(name, Some(measure));
        Ok(measure)
    }

    fn field(&mut self, field: &'a Field) -> Result<Measure, GuardError> {
        let below = self.measure(&field.selection_set.node)?;
        let name = field.name.node.as_str();
        let page = self.page_size(field, below.selects_items);
        let points = below
            .once
            .saturating_add(below.per_item.saturating_mul(page))
            .saturating_mul(self.list_size(field))
            .saturating_add(1);
        let is_plain = field.selection_set.node.items.is_empty() || name == "pageInfo";
        let (long_here, long_below) = if LONG_LISTS.contains(&name) {
            (below.long_here.max(below.long_below + 1), 0)
        } else {
            (0, below.long_lists())
        };
        let introspects = matches!(name, "__schema" | "__type");
        let schema_lists = below.schema_lists + usize::from(SCHEMA_LISTS.contains(&name));
        Ok(Measure {
            fields: below.fields.saturating_add(1),
            width: 1,
            depth: below.depth + 1,
            once: if is_plain { points } else { 0 },
            per_item: if is_plain { 0 } else { points },
            selects_items: matches!(name, "edges" | "nodes"),
            long_here,
            long_below,
            links: below.links + usize::from(LINKS.contains(&name)),
            schema_lists,
            introspects: introspects || below.introspects,
            schema_explodes: below.schema_explodes || (introspects && schema_lists > MAX_SCHEMA_LISTS),
        })
    }

    fn page_size(&self, field: &Field, selects_items: bool) -> u64 {
        match [FIRST, LAST]
            .into_iter()
            .filter_map(|name| self.number(field, name))
            .max()
        {
            Some(size) => size.clamp(1, LARGEST_PAGE),
            None if selects_items => DEFAULT_PAGE,
            None => 1,
        }
    }

    fn list_size(&self, field: &Field) -> u64 {
        if let Some(Value::List(ids)) = self.argument(field, IDS) {
            return (ids.len() as u64).clamp(1, MOST_IDS);
        }
        let name = field.name.node.as_str();
        LISTS
            .iter()
            .find(|(list, _)| *list == name)
            .map_or(1, |(_, size)| *size)
    }

    fn argument(&self, field: &Field, argument: &str) -> Option<Value> {
        let value = field.get_argument(argument)?.node.clone();
        value
            .into_const_with(|name| self.variables.get(&name).cloned().ok_or(()))
            .ok()
    }

    fn number(&self, field: &Field, argument: &str) -> Option<u64> {
        match self.argument(field, argument)? {
            Value::Number(number) => number
                .as_i64()
                .map(|number| u64::try_from(number).unwrap_or_default()),
            _ => None,
        }
    }
}

/// Aliases in the whole document, whether its operation uses them or not.
pub(super) fn aliases(document: &ExecutableDocument) -> usize {
    let operations = document
        .operations
        .iter()
        .map(|(_, operation)| &operation.node.selection_set.node);
    let fragments = document
        .fragments
        .values()
        .map(|fragment| &fragment.node.selection_set.node);
    operations.chain(fragments).map(aliases_in).sum()
}

fn aliases_in(selection: &SelectionSet) -> usize {
    let aliases = selection.items.iter().map(|item| match &item.node {
        Selection::Field(field) => {
            usize::from(field.node.alias.is_some()) + aliases_in(&field.node.selection_set.node)
        }
        Selection::InlineFragment(fragment) => aliases_in(&fragment.node.selection_set.node),
        Selection::FragmentSpread(_) => 0,
    });
    aliases.sum()
}
