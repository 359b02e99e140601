//! HOW CLIENTS ASK. One file per feature: objects, inputs, queries, mutations, subscriptions. A resolver parses ids, gets the context,
//! calls one function of a feature and wraps the result; it knows no SQL and decides nothing.
//!
//! To add a type: copy `tasks.rs`, name its root fields below, and add the fields it hangs on other types as another part of
//! `workspaces::Workspace`.

mod accounts;
pub mod arguments;
mod audit;
mod calendar_feeds;
mod calendars;
mod changes;
mod credentials;
mod data_transfers;
mod documents;
mod enums;
pub mod errors;
mod events;
mod focus;
pub mod guard;
mod ids;
mod integrations;
mod invitations;
mod jobs;
pub mod live;
mod loaders;
mod members;
mod node;
mod notifications;
mod order;
mod paging;
mod part;
mod people;
mod preferences;
mod presence;
mod quick_add;
mod ranges;
mod scalars;
mod schedules;
mod search;
mod server;
mod shape;
mod straight;
mod syncs;
mod tasks;
mod viewer;
mod workspaces;

use std::sync::Arc;

use async_graphql::dataloader::DataLoader;
use async_graphql::{
    Context, MaybeUndefined, MergedObject, MergedSubscription, Request, SDLExportOptions, Schema,
    SchemaBuilder,
};

use crate::access::{Access, Caller};
use crate::kernel::patch::Patch;
use crate::kernel::{self, Error, UserErrorCode};
use crate::platform::Platform;
use loaders::Loaders;
use part::Part;

pub use documents::{Documents, Prepared};
pub use server::Spent;
pub use shape::{take_raw, write_value};
pub use straight::execute;

/// Reading data. Look-ups return null when the object does not exist or the viewer may not see it.
#[derive(MergedObject, Default)]
#[graphql(name = "Query")]
pub struct Query(
    Part<node::NodeQuery>,
    Part<server::ServerQuery>,
    Part<viewer::ViewerQuery>,
    Part<workspaces::WorkspaceQuery>,
    Part<calendars::CalendarQuery>,
    Part<events::EventQuery>,
    Part<events::PreviewQuery>,
    Part<integrations::IntegrationQuery>,
    Part<tasks::TaskQuery>,
    Part<schedules::ScheduleQuery>,
    Part<search::SearchQuery>,
    Part<jobs::JobQuery>,
    Part<jobs::JobQueueQuery>,
    Part<data_transfers::DataTransferQuery>,
);

/// Changing data. Expected failures are in `userErrors` of each payload, which is empty on success.
#[derive(MergedObject, Default)]
#[graphql(name = "Mutation")]
pub struct Mutation(
    Part<preferences::PreferencesMutation>,
    Part<credentials::CredentialMutation>,
    Part<accounts::AccountMutation>,
    Part<workspaces::WorkspaceMutation>,
    Part<members::MemberMutation>,
    Part<invitations::InvitationMutation>,
    Part<notifications::NotificationMutation>,
    Part<presence::PresenceMutation>,
    Part<calendars::CalendarMutation>,
    Part<calendar_feeds::CalendarFeedMutation>,
    Part<events::EventMutation>,
    Part<integrations::IntegrationMutation>,
    Part<tasks::TaskMutation>,
    Part<schedules::ScheduleMutation>,
    Part<jobs::JobMutation>,
    Part<focus::FocusMutation>,
    Part<quick_add::QuickAddMutation>,
    Part<data_transfers::DataTransferMutation>,
);

/// Live updates over the `graphql-transport-ws` protocol. Each stream checks membership when it starts and while it runs.
#[derive(MergedSubscription, Default)]
#[graphql(name = "Subscription")]
pub struct Subscription(
    notifications::NotificationSubscription,
    presence::PresenceSubscription,
    events::EventSubscription,
    syncs::SyncSubscription,
    tasks::TaskSubscription,
    schedules::ScheduleSubscription,
    jobs::JobSubscription,
);

/// The executable schema.
pub type ApiSchema = Schema<Query, Mutation, Subscription>;

/// The schema before it is finished, for settings such as introspection.
pub fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    Schema::build(Query::default(), Mutation::default(), Subscription::default()).extension(order::Served)
}

/// Gives a request the document that was read for it. The executor takes it apart, so it gets one of its own, unless the document has a
/// way around it.
pub fn with_document(mut request: Request, prepared: Arc<Prepared>) -> Request {
    if prepared.route().is_none() {
        request.set_parsed_query(prepared.document.clone());
    }
    request.data(prepared)
}

/// Adds what resolvers need to a request: the caller's access and the loaders that batch their reads.
pub fn prepare(request: Request, platform: &Platform, caller: Caller) -> Request {
    with_access(request, Access::new(platform.clone(), caller))
}

/// [`prepare`] for an operation that was paid for: `rateLimit` tells the budget, and workspaces bear the points too.
pub fn prepare_paid(request: Request, platform: &Platform, caller: Caller, spent: Spent) -> Request {
    let access = Access::paying(platform.clone(), caller, spent.cost);
    with_access(request.data(spent), access)
}

fn with_access(request: Request, access: Access) -> Request {
    let access = Arc::new(access);
    if straight::is_routed(&request) {
        return request.data(access);
    }
    let loader = batching(access.clone());
    request.data(access).data(loader)
}

/// The loaders of a request that the executor answers. The tasks of its batches belong to the request and end with it, so they need no
/// tracking.
#[expect(
    clippy::disallowed_methods,
    reason = "a batch lives no longer than the request that waits for it"
)]
fn batching(access: Arc<Access>) -> DataLoader<Loaders> {
    DataLoader::new(Loaders::new(access), tokio::spawn)
}

/// The schema as text: sorted, with descriptions and `@specifiedBy`.
pub fn sdl(schema: &ApiSchema) -> String {
    let options = SDLExportOptions::new()
        .sorted_fields()
        .sorted_arguments()
        .sorted_enum_items()
        .include_specified_by()
        .prefer_single_line_descriptions();
    schema.sdl_with_options(options)
}

/// The access of the running operation.
fn access<'a>(ctx: &Context<'a>) -> &'a Arc<Access> {
    ctx.data_unchecked()
}

/// The loaders of the running operation.
fn loader<'a>(ctx: &Context<'a>) -> &'a DataLoader<Loaders> {
    ctx.data_unchecked()
}

/// An input field of an update: left out keeps, null clears.
fn patch<T>(value: MaybeUndefined<T>) -> Patch<T> {
    match value {
        MaybeUndefined::Undefined => Patch::Keep,
        MaybeUndefined::Null => Patch::Clear,
        MaybeUndefined::Value(value) => Patch::Set(value),
    }
}

/// An input field of an update that is never empty: left out keeps, null is refused at `path`.
fn set<T>(value: MaybeUndefined<T>, path: &str) -> kernel::Result<Option<T>> {
    match value {
        MaybeUndefined::Undefined => Ok(None),
        MaybeUndefined::Value(value) => Ok(Some(value)),
        MaybeUndefined::Null => {
            let message = "This cannot be cleared. Leave it out to keep it as it is, or send a value.";
            Err(Error::user(UserErrorCode::Required, path, message))
        }
    }
}
