//! The change log of a workspace: where it stands, what came after a cursor, and a live stream without gap or duplicate.
//!
//! The log is the truth; messages only say that there is something to read, and carry the newest changes so that a subscriber that is up to
//! date needs no query.

mod tail;

use std::collections::{HashMap, VecDeque};

use entity::ids::{TypedId as _, WorkspaceId};
use entity::{change_log, workspace_counter};
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use crate::access::Ctx;
use crate::kernel::changes::{Change, Committed, ObjectType, Topic};
use crate::kernel::{Error, ErrorCode, Result};
use crate::platform::Platform;
use crate::platform::db::Scope;
use crate::platform::pubsub::{Signal, Subscription};

pub use tail::look_after;

/// Changes read from the log at a time while catching up.
const CATCH_UP_PAGE: u64 = 500;

/// Position of the newest change.
pub async fn newest(ctx: &Ctx) -> Result<i64> {
    let read = ctx.read().await?;
    let counter = read.find::<workspace_counter::Entity>().one(&read).await?;
    Ok(counter.ok_or_else(Error::not_found)?.change_seq)
}

/// Workspaces of one statement of [`positions`].
const POSITIONS_PAGE: usize = 500;

/// Positions of the newest changes of these workspaces, whoever asks: the server itself, or somebody who is a member of all of them.
pub async fn positions(platform: &Platform, workspaces: &[WorkspaceId]) -> Result<HashMap<WorkspaceId, i64>> {
    use workspace_counter::Column;
    let mut found = HashMap::with_capacity(workspaces.len());
    for page in workspaces.chunks(POSITIONS_PAGE) {
        let read = platform.db.read(Scope::System).await?;
        let select = read
            .find::<workspace_counter::Entity>()
            .select_only()
            .columns([Column::WorkspaceId, Column::ChangeSeq])
            .filter(Column::WorkspaceId.is_in(page.iter().copied()));
        found.extend(select.into_tuple::<(WorkspaceId, i64)>().all(&read).await?);
    }
    Ok(found)
}

/// Changes after a position, oldest first. CURSOR_EXPIRED when the log no longer reaches back that far.
pub async fn after(ctx: &Ctx, position: i64, limit: u64) -> Result<Vec<Change>> {
    let mut rows = rows_after(ctx, position, limit).await?;
    if rows.is_empty() {
        let newest = newest(ctx).await?;
        if newest == position {
            return Ok(Vec::new());
        }
        // A change may have been committed between the two looks: it is there now, unless the log was shortened or the cursor is from
        // the future.
        if newest > position {
            rows = rows_after(ctx, position, limit).await?;
        }
    }
    if rows.first().is_none_or(|first| first.seq > position + 1) {
        let message = "This cursor is older than the change log is kept. Read the data again and go on from a new `changeCursor`.";
        return Err(Error::coded(ErrorCode::CursorExpired, message));
    }
    rows.into_iter().map(change).collect()
}

async fn rows_after(ctx: &Ctx, position: i64, limit: u64) -> Result<Vec<change_log::Model>> {
    let read = ctx.read().await?;
    let select = read
        .find::<change_log::Entity>()
        .filter(change_log::Column::Seq.gt(position))
        .order_by_asc(change_log::Column::Seq)
        .limit(limit);
    Ok(select.all(&read).await?)
}

fn change(row: change_log::Model) -> Result<Change> {
    let object_type = ObjectType::parse(&row.object_type);
    Ok(Change {
        seq: row.seq,
        action: row.action,
        object_type: object_type
            .ok_or_else(|| Error::internal(format!("unknown object type {}", row.object_type)))?,
        object_id: row.object_id,
        calendar_id: row.calendar_id,
        at: row.created_at,
    })
}

/// The text of a position. It names the workspace, so that a cursor of another one is refused instead of skipping changes.
pub fn encode_cursor(ctx: &Ctx, seq: i64) -> String {
    cursor_of(ctx.workspace_id(), seq)
}

/// [`encode_cursor`] for whoever knows only the name of the workspace.
pub fn cursor_of(workspace_id: WorkspaceId, seq: i64) -> String {
    format!("{:x}.{}", workspace_id.uuid().as_u128() & 0xffff_ffff, seq)
}

/// Reads a position back.
pub fn decode_cursor(ctx: &Ctx, text: &str) -> Result<i64> {
    let invalid = || {
        Error::bad_input("`after` is not a change cursor of this workspace. Use one that the server sent.")
    };
    let (workspace, seq) = text.split_once('.').ok_or_else(invalid)?;
    let expected = format!("{:x}", ctx.workspace_id().uuid().as_u128() & 0xffff_ffff);
    let seq: i64 = seq.parse().map_err(|_| invalid())?;
    if workspace != expected || seq < 0 {
        Err(invalid())
    } else {
        Ok(seq)
    }
}

/// A stream of the changes of one workspace, in commit order, each exactly once.
#[derive(Debug)]
pub struct Feed {
    ctx: Ctx,
    /// What is to come; `None` for a stretch of the log that is over already.
    signals: Option<Subscription>,
    position: i64,
    until: i64,
    ready: VecDeque<Change>,
    behind: bool,
}

impl Feed {
    /// Starts after a cursor, or with the next change when there is none.
    pub async fn start(ctx: Ctx, after: Option<&str>) -> Result<Self> {
        // Listening comes first: what is committed between here and the first read is in the log or in the signals.
        let signals = listen(&ctx);
        let mut feed = match after {
            Some(text) => {
                let position = decode_cursor(&ctx, text)?;
                Self::new(ctx, Some(signals), position)
            }
            None => {
                let position = newest(&ctx).await?;
                Self::new(ctx, Some(signals), position)
            }
        };
        feed.behind = after.is_some();
        if feed.behind {
            // A cursor that is too old fails the subscription at once, not with its first change.
            feed.catch_up().await?;
        }
        Ok(feed)
    }

    /// Starts after a position and goes on for ever.
    pub fn at(ctx: Ctx, position: i64) -> Self {
        let signals = listen(&ctx);
        Self {
            behind: true,
            ..Self::new(ctx, Some(signals), position)
        }
    }

    /// The stretch of the log after one position up to and with another that is in it.
    pub fn stretch(ctx: Ctx, after: i64, until: i64) -> Self {
        Self {
            behind: true,
            until,
            ..Self::new(ctx, None, after)
        }
    }

    fn new(ctx: Ctx, signals: Option<Subscription>, position: i64) -> Self {
        Self {
            ctx,
            signals,
            position,
            until: i64::MAX,
            ready: VecDeque::new(),
            behind: false,
        }
    }

    /// Changes that are known and not yet handed out.
    pub fn upcoming(&self) -> impl Iterator<Item = &Change> {
        self.ready.iter()
    }

    /// The workspace that is followed.
    pub fn workspace_id(&self) -> WorkspaceId {
        self.ctx.workspace_id()
    }

    /// The next change; `None` when the stretch is over or the server stops. Nothing is lost when the wait is cancelled.
    pub async fn next(&mut self) -> Result<Option<Change>> {
        loop {
            if self.position >= self.until {
                return Ok(None);
            }
            if let Some(change) = self.ready.pop_front() {
                self.position = change.seq;
                return Ok(Some(change));
            }
            if self.behind {
                self.catch_up().await?;
                continue;
            }
            let Some(signals) = &mut self.signals else {
                return Ok(None);
            };
            match signals.recv().await {
                Signal::Message(text) => self.accept(&text),
                Signal::Resync => self.behind = true,
                Signal::Closed => return Ok(None),
            }
        }
    }

    fn accept(&mut self, text: &str) {
        let Ok(message) = serde_json::from_str::<Committed>(text) else {
            self.behind = true;
            return;
        };
        if message.last_seq <= self.position {
            return;
        }
        // Messages of two transactions can overtake each other; only the one that follows directly is taken as it is.
        if message
            .changes
            .first()
            .is_some_and(|first| first.seq <= self.position + 1)
        {
            let position = self.position;
            self.ready
                .extend(message.changes.into_iter().filter(|change| change.seq > position));
        } else {
            self.behind = true;
        }
    }

    async fn catch_up(&mut self) -> Result<()> {
        let changes = after(&self.ctx, self.position, CATCH_UP_PAGE).await?;
        self.behind = changes.len() as u64 == CATCH_UP_PAGE;
        self.ready.extend(changes);
        Ok(())
    }
}

fn listen(ctx: &Ctx) -> Subscription {
    ctx.platform()
        .pubsub
        .subscribe(Topic::Changes(ctx.workspace_id()))
}
