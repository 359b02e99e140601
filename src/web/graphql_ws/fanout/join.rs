//! How a subscription comes to its seat: membership first, then what was missed, read from the log by itself, then the circle. What
//! cannot share runs alone, and so does what is going to fail, for the answer it would have got anyway.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Request, Response};
use entity::enums::WorkspaceRole;
use entity::ids::WorkspaceId;
use futures_util::FutureExt as _;
use futures_util::stream::{BoxStream, StreamExt as _, once};
use tokio::time::sleep;

use super::seat::Seat;
use super::{Begin, Taken};
use crate::access::{self, Access, Caller};
use crate::features::{changes, presence};
use crate::graphql::live::{About, Audience, Home, Plan, Source, access_of};
use crate::kernel::{Error, Result};
use crate::platform::presence::Sitting;
use crate::web::Web;
use crate::web::graphql_answer::{panicked, refusal};
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
        place: Place,
    },
}

/// Where a subscription sits, and by what right.
pub(in crate::web::graphql_ws) struct Place {
    pub(in crate::web::graphql_ws) seat: Seat,
    pub(in crate::web::graphql_ws) home: Home,
    pub(in crate::web::graphql_ws) plan: Arc<Plan>,
    /// Makes the person present.
    _sitting: Option<Sitting>,
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
        let Some((workspace_id, after)) = plan.log() else {
            return self.listen(plan, access, position.is_some()).await;
        };
        let fanout = &self.web.sockets().fanout;
        for _ in 0..ATTEMPTS {
            let rechecks = fanout.rechecks();
            let entered = access.ctx(workspace_id).await.ok()?;
            if position.is_some() {
                match self.role(workspace_id).await.ok()? {
                    None => return Some(gone()),
                    Some(role) if role != entered.role() => {
                        // Sent away for a reason that the memberships at hand do not show yet.
                        sleep(PAUSE).await;
                        access.refresh().await;
                        continue;
                    }
                    Some(_) => {}
                }
            }
            let newest = changes::newest(&entered).await.ok()?;
            let position = match (position, after) {
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
            let home = Home {
                workspace_id: Some(workspace_id),
                role: Some(entered.role()),
            };
            let begin = Begin {
                position,
                crowd: None,
            };
            let taken = self.sit(plan, home, begin)?;
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
                place: Place {
                    seat: taken.seat,
                    home,
                    plan: taken.plan,
                    _sitting: None,
                },
            });
        }
        None
    }

    /// Sits down where no log is followed.
    async fn listen(&self, plan: &Arc<Plan>, access: &Access, is_again: bool) -> Option<Joined> {
        let fanout = &self.web.sockets().fanout;
        for _ in 0..ATTEMPTS {
            let rechecks = fanout.rechecks();
            let home = plan.about().home(access).await.ok()?;
            let entered = match home.workspace_id {
                Some(workspace_id) => Some(access.ctx(workspace_id).await.ok()?),
                None => None,
            };
            if is_again && let Some(entered) = &entered {
                match self.role(entered.workspace_id()).await.ok()? {
                    None => return Some(gone()),
                    Some(role) if role != entered.role() => {
                        sleep(PAUSE).await;
                        access.refresh().await;
                        continue;
                    }
                    Some(_) => {}
                }
            }
            let present = entered.filter(|_| matches!(plan.about(), About::Presence(_)));
            let begin = Begin {
                position: 0,
                // Listening comes before being here, so that nobody misses how they came in themselves.
                crowd: present.as_ref().map(presence::watch),
            };
            let taken = self.sit(plan, home, begin)?;
            if fanout.rechecks() != rechecks {
                access.refresh().await;
                continue;
            }
            let sitting = match &present {
                Some(entered) => Some(presence::sit(entered, &self.caller).ok()?),
                None => None,
            };
            return Some(Joined::Seated {
                missed: None,
                until: 0,
                place: Place {
                    seat: taken.seat,
                    home,
                    plan: taken.plan,
                    _sitting: sitting,
                },
            });
        }
        None
    }

    fn sit(&self, plan: &Arc<Plan>, home: Home, begin: Begin) -> Option<Taken> {
        let audience = Audience::of(&self.caller, home.role, plan.is_personal())?;
        let key = plan.key(home.workspace_id, audience)?;
        let place = (&self.bell, &self.caller);
        self.web.sockets().fanout.sit(&self.web, key, plan, place, begin)
    }

    /// The role as the database has it now.
    async fn role(&self, workspace_id: WorkspaceId) -> Result<Option<WorkspaceRole>> {
        let user = self.caller.require_user()?;
        let mut roles = access::roles(&self.web.platform, workspace_id, &[user]).await?;
        Ok(roles.remove(&user))
    }

    fn execute(&self, plan: &Plan, source: Source) -> BoxStream<'static, Response> {
        let caller = Caller::clone(&self.caller);
        let request = plan.request(&self.web.platform, caller, source);
        self.web.schema.execute_stream(request)
    }
}

/// The end for somebody who is no member any more, whatever is remembered of their memberships.
fn gone() -> Joined {
    Joined::Alone(once(async { refusal(&Error::not_found()) }).boxed())
}
