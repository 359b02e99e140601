//! Which fields a selection asks for, as the specification collects them: fragments are followed, fields of one response key are merged.
//! `@skip` and `@include` were applied before execution.

use std::collections::HashMap;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, FragmentDefinition, Selection, SelectionSet};
use async_graphql::registry::Registry;
use async_graphql::{ContextBase, Name, Positioned};

/// What is needed to read selections.
#[derive(Clone, Copy)]
pub struct Env<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    registry: &'a Registry,
}

impl<'a> Env<'a> {
    /// The surroundings of a running operation.
    pub fn of<T>(ctx: &ContextBase<'a, T>) -> Self {
        Self {
            fragments: &ctx.query_env.fragments,
            registry: &ctx.schema_env.registry,
        }
    }
}

/// One response key with the field behind it and all selections that are merged into it.
pub(super) struct Asked<'a> {
    pub(super) field: &'a Field,
    pub(super) sets: Vec<&'a SelectionSet>,
}

/// The fields that these selections together ask of an object of the type, in the order of their first mention.
pub(super) fn collect<'a>(
    sets: &[&'a SelectionSet],
    type_name: &str,
    env: Env<'a>,
) -> IndexMap<&'a str, Asked<'a>> {
    let mut asked = IndexMap::new();
    for set in sets {
        add(set, type_name, env, &mut asked);
    }
    asked
}

fn add<'a>(set: &'a SelectionSet, type_name: &str, env: Env<'a>, asked: &mut IndexMap<&'a str, Asked<'a>>) {
    for item in &set.items {
        match &item.node {
            Selection::Field(field) => {
                let field = &field.node;
                let entry = asked.entry(field.response_key().node.as_str());
                let entry = entry.or_insert_with(|| Asked {
                    field,
                    sets: Vec::with_capacity(1),
                });
                entry.sets.push(&field.selection_set.node);
            }
            Selection::InlineFragment(fragment) => {
                let condition = fragment.node.type_condition.as_ref();
                if condition.is_none_or(|condition| applies(condition.node.on.node.as_str(), type_name, env))
                {
                    add(&fragment.node.selection_set.node, type_name, env, asked);
                }
            }
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = env.fragments.get(&spread.node.fragment_name.node)
                    && applies(fragment.node.type_condition.node.on.node.as_str(), type_name, env)
                {
                    add(&fragment.node.selection_set.node, type_name, env, asked);
                }
            }
        }
    }
}

fn applies(condition: &str, type_name: &str, env: Env<'_>) -> bool {
    let implements = |name: &str| {
        let interfaces = env.registry.implements.get(name);
        interfaces.is_some_and(|interfaces| interfaces.contains(condition))
    };
    condition == type_name || implements(type_name)
}
