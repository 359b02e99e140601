//! Lists and Relay connections in the fast way.

use std::borrow::Cow;

use async_graphql::parser::types::{Field as Asked, SelectionSet};
use async_graphql::registry::Registry;
use async_graphql::{Context, ContextSelectionSet, OutputType, Positioned, ServerResult, Value};

use super::collect::{Env, collect};
use super::json::{WriteJson as _, text};
use super::link::write_list;
use super::plan::{Plan, Scene, Shape, Steps, is_plain_only, steps};
use super::raw::raw;
use crate::graphql::paging::{PageInfo, PageParts};
use crate::kernel::page::Cursors;

/// A list whose objects are answered together.
pub struct Many<T>(pub Vec<T>);

impl<T: Shape + OutputType> OutputType for Many<T> {
    fn type_name() -> Cow<'static, str> {
        Vec::<T>::type_name()
    }

    fn qualified_type_name() -> String {
        Vec::<T>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Vec::<T>::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Asked>) -> ServerResult<Value> {
        match self.fast(ctx).await {
            Some(value) => Ok(value),
            None => OutputType::resolve(&self.0, ctx, field).await,
        }
    }
}

impl<T: Shape> Many<T> {
    async fn fast(&self, ctx: &ContextSelectionSet<'_>) -> Option<Value> {
        if is_plain_only(ctx) {
            return None;
        }
        let plan = Plan::<T>::compile(&[&ctx.item.node], Env::of(ctx))?;
        let mut out = Vec::new();
        plan.write_list(&self.0, &Scene::of_list(ctx), &mut out).await?;
        raw(out)
    }
}

impl<T: Shape> Plan<T> {
    /// Loads what these objects refer to and writes them; `None` when that failed.
    pub async fn write_list(&self, items: &[T], scene: &Scene<'_>, out: &mut Vec<u8>) -> Option<()> {
        let rows: Vec<&T> = items.iter().collect();
        let state = self.load(&rows, scene).await.ok()?;
        write_list(self, items, &state, scene, out);
        Some(())
    }
}

enum OfPage<T> {
    TypeName,
    Nodes(Plan<T>),
    Edges(Steps<OfEdge<T>>),
    PageInfo {
        plan: Plan<PageInfo>,
        /// Whether a cursor is asked for.
        has_cursors: bool,
    },
    TotalCount,
}

enum OfEdge<T> {
    TypeName,
    Cursor,
    Node(Plan<T>),
}

/// A compiled selection of a connection.
pub struct PagePlan<T> {
    steps: Steps<OfPage<T>>,
    name: &'static str,
    edge: &'static str,
}

impl<T: Shape> PagePlan<T> {
    /// Compiles the selection below the field that answers the connection; `None` when the plain resolvers have to answer.
    pub fn compile(ctx: &Context<'_>, name: &'static str, edge: &'static str) -> Option<Self> {
        if is_plain_only(ctx) {
            return None;
        }
        let env = Env::of(ctx);
        let steps = steps(&[&ctx.item.node.selection_set.node], name, env, |asked| {
            Some(match asked.field.name.node.as_str() {
                "__typename" => OfPage::TypeName,
                "nodes" => OfPage::Nodes(Plan::compile(&asked.sets, env)?),
                "edges" => OfPage::Edges(compile_edges(&asked.sets, edge, env)?),
                "pageInfo" => OfPage::PageInfo {
                    plan: Plan::compile(&asked.sets, env)?,
                    has_cursors: has_cursors(&asked.sets, env),
                },
                "totalCount" => OfPage::TotalCount,
                _ => return None,
            })
        })?;
        Some(Self { steps, name, edge })
    }

    /// Bits of the columns that rows must have.
    pub fn columns(&self) -> u64 {
        self.plans().fold(0, |columns, plan| columns | plan.columns())
    }

    /// Whether all matching objects are to be counted.
    pub fn counts(&self) -> bool {
        self.steps
            .iter()
            .any(|(_, step)| matches!(step, OfPage::TotalCount))
    }

    /// Which rows' cursors are asked for.
    pub fn cursors(&self) -> Cursors {
        let mut wanted = Cursors::No;
        for (_, step) in &self.steps {
            match step {
                OfPage::Edges(edges) if edges.iter().any(|(_, step)| matches!(step, OfEdge::Cursor)) => {
                    return Cursors::Every;
                }
                OfPage::PageInfo {
                    has_cursors: true, ..
                } => wanted = Cursors::Ends,
                _ => {}
            }
        }
        wanted
    }

    fn plans(&self) -> impl Iterator<Item = &Plan<T>> {
        self.steps.iter().flat_map(|(_, step)| {
            let nodes = match step {
                OfPage::Nodes(plan) => Some(plan),
                _ => None,
            };
            let edges = match step {
                OfPage::Edges(edges) => edges.as_slice(),
                _ => &[],
            };
            let of_edges = edges.iter().filter_map(|(_, step)| match step {
                OfEdge::Node(plan) => Some(plan),
                OfEdge::TypeName | OfEdge::Cursor => None,
            });
            nodes.into_iter().chain(of_edges)
        })
    }

    /// Answers the connection; `None` leaves it to the plain resolvers.
    pub async fn answer(&self, ctx: &ContextSelectionSet<'_>, parts: &PageParts<T>) -> Option<Value> {
        let mut out = Vec::with_capacity(256 + 512 * parts.items.len());
        self.write(&Scene::of_list(ctx), parts, &mut out).await?;
        raw(out)
    }

    /// Loads what the page refers to and writes it; `None` when that failed.
    pub async fn write(&self, scene: &Scene<'_>, parts: &PageParts<T>, out: &mut Vec<u8>) -> Option<()> {
        let rows: Vec<&T> = parts.items.iter().map(|(_, item)| item).collect();
        let mut states = Vec::new();
        for plan in self.plans() {
            states.push(plan.load(&rows, scene).await.ok()?);
        }
        let mut states = states.iter();
        out.push(b'{');
        for (key, step) in &self.steps {
            out.extend_from_slice(key);
            match step {
                OfPage::TypeName => text(self.name, out),
                OfPage::TotalCount => parts.total_count.write_json(out),
                OfPage::PageInfo { plan, .. } => {
                    let state = plan.load(&[], scene).await.ok()?;
                    plan.write(&parts.page_info, &state, scene, out);
                }
                OfPage::Nodes(plan) => {
                    let state = states.next()?;
                    list(out, &rows, |row, out| plan.write(row, state, scene, out));
                }
                OfPage::Edges(steps) => {
                    let mut of_nodes = Vec::new();
                    for (_, step) in steps {
                        of_nodes.push(match step {
                            OfEdge::Node(_) => Some(states.next()?),
                            OfEdge::TypeName | OfEdge::Cursor => None,
                        });
                    }
                    list(out, &parts.items, |(cursor, row), out| {
                        out.push(b'{');
                        for ((key, step), state) in steps.iter().zip(&of_nodes) {
                            out.extend_from_slice(key);
                            match (step, state) {
                                (OfEdge::Node(plan), Some(state)) => plan.write(row, state, scene, out),
                                (OfEdge::Cursor, _) => text(cursor, out),
                                (OfEdge::TypeName | OfEdge::Node(_), _) => text(self.edge, out),
                            }
                        }
                        out.push(b'}');
                    });
                }
            }
        }
        out.push(b'}');
        Some(())
    }
}

fn list<I>(out: &mut Vec<u8>, items: &[I], write: impl Fn(&I, &mut Vec<u8>)) {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(b']');
}

fn has_cursors(sets: &[&SelectionSet], env: Env<'_>) -> bool {
    let asked = collect(sets, PageInfo::NAME, env);
    asked
        .iter()
        .any(|(_, asked)| matches!(asked.field.name.node.as_str(), "startCursor" | "endCursor"))
}

fn compile_edges<T: Shape>(sets: &[&SelectionSet], edge: &str, env: Env<'_>) -> Option<Steps<OfEdge<T>>> {
    steps(sets, edge, env, |asked| {
        Some(match asked.field.name.node.as_str() {
            "__typename" => OfEdge::TypeName,
            "cursor" => OfEdge::Cursor,
            "node" => OfEdge::Node(Plan::compile(&asked.sets, env)?),
            _ => return None,
        })
    })
}
