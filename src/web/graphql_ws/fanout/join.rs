//! How a subscription comes to its seat: membership first, then what was missed, read from the log by itself, then the circle. What
//! cannot share runs alone, and so does what is going to fail, for the answer it would have got anyway.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Request, Response};
use entity::enums::WorkspaceRole;
use futures_util::FutureExt as _;
use futures_util::stream::{BoxStream, StreamExt as _, once};
use tokio::time::sleep;

use super::seat::Seat;
use crate::access::{self, Access, Caller};
use crate::features::changes;
use crate::graphql::live::{Audience, Plan, Source, access_of};
use crate::web::Web;
use crate::web::graphql_answer::panicked;
use crate::web::graphql_ws::bell::Bell;

/// Changes that a subscription may still have to read when it sits down: until it has, the circle's messages wait for it.
const NEAR: i64 = 48;
/// How often somebody asks again because memberships changed meanwhile.
const ATTEMPTS: usize = 5;
const PAUSE: Duration = Duration::from_millis(50);

/// What a subscription has become.
pub(in crate::web::graphql_ws) enum Joined {
    /// One that runs by itself.
    Alone(BoxStream<'static, Response>),
    /// One that reads a long stretch of the log first and then tries again from its end.
    Behind {
        missed: BoxStream<'static, Response>,
        until: i64,
        plan: Arc<Plan>,
    },
    /// One that has a seat, and perhaps something to read before.
    Seated {
        missed: Option<BoxStream<'static, Response>>,
        until: i64,
        seat: Seat,
        role: WorkspaceRole,
        plan: Arc<Plan>,
    },
}

/// Whoever may sit down: a socket that is signed in.
#[derive(Clone)]
pub(in crate::web::graphql_ws) struct Joiner {
    pub(in crate::web::graphql_ws) web: Web,
    pub(in crate::web::graphql_ws) bell: Arc<Bell>,
    pub(in crate::web::graphql_ws) caller: Arc<Caller>,
}

impl Joiner {
    /// Sits down for the first time.
    pub(in crate::web::graphql_ws) async fn join(self, plan: Arc<Plan>, request: Request) -> Joined {
        let access = access_of(&request);
        let alone = self.clone();
        let joining = async {
            let access = access?;
            self.seat(&plan, &access, None).await
        };
        match AssertUnwindSafe(joining).catch_unwind().await {
            Ok(Some(joined)) => joined,
            Ok(None) => Joined::Alone(alone.web.schema.execute_stream(request)),
            Err(_) => Joined::Alone(once(async { panicked() }).boxed()),
        }
    }

    /// Sits down again, having heard everything up to a position.
    pub(in crate::web::graphql_ws) async fn rejoin(self, plan: Arc<Plan>, position: i64) -> Joined {
        let alone = self.execute(&plan, Source::From(position));
        let access = Access::new(self.web.platform.clone(), Caller::clone(&self.caller));
        let joining = self.seat(&plan, &access, Some(position));
        match AssertUnwindSafe(joining).catch_unwind().await {
            Ok(Some(joined)) => joined,
            Ok(None) => Joined::Alone(alone),
            Err(_) => Joined::Alone(once(async { panicked() }).boxed()),
        }
    }

    async fn seat(&self, plan: &Arc<Plan>, access: &Access, position: Option<i64>) -> Option<Joined> {
        let fanout = &self.web.sockets().fanout;
        for _ in 0..ATTEMPTS {
            let rechecks = fanout.rechecks();
            let entered = access.ctx(plan.workspace_id()).await.ok()?;
            if position.is_some() && self.role(plan).await? != entered.role() {
                // Sent away for a reason that the memberships at hand do not show yet.
                sleep(PAUSE).await;
                access.refresh().await;
                continue;
            }
            let newest = changes::newest(&entered).await.ok()?;
            let position = match (position, plan.after()) {
                (Some(position), _) => position,
                (None, Some(cursor)) => changes::decode_cursor(&entered, cursor).ok()?,
                (None, None) => newest,
            };
            if position > newest {
                return None;
            }
            if newest - position > NEAR {
                let source = Source::Stretch {
                    after: position,
                    until: newest,
                };
                return Some(Joined::Behind {
                    missed: self.execute(plan, source),
                    until: newest,
                    plan: plan.clone(),
                });
            }
            let role = entered.role();
            let key = plan.key(Audience::of(&self.caller, role, plan.is_personal())?)?;
            let place = (&self.bell, &self.caller);
            let taken = fanout.sit(&self.web, key, plan, place, position)?;
            // Somebody asked who may sit between our own question and now, and may not have seen us.
            if fanout.rechecks() != rechecks {
                access.refresh().await;
                continue;
            }
            let missed = (position < taken.sent).then(|| {
                let source = Source::Stretch {
                    after: position,
                    until: taken.sent,
                };
                self.execute(&taken.plan, source)
            });
            return Some(Joined::Seated {
                missed,
                until: taken.sent,
                seat: taken.seat,
                role,
                plan: taken.plan,
            });
        }
        None
    }

    /// The role as the database has it now.
    async fn role(&self, plan: &Plan) -> Option<WorkspaceRole> {
        let user = self.caller.user_id()?;
        let roles = access::roles(&self.web.platform, plan.workspace_id(), &[user]).await;
        roles.ok()?.remove(&user)
    }

    fn execute(&self, plan: &Plan, source: Source) -> BoxStream<'static, Response> {
        let caller = Caller::clone(&self.caller);
        let request = plan.request(&self.web.platform, caller, source);
        self.web.schema.execute_stream(request)
    }
}
