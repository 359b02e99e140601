//! A walk along a ring in one statement of PostgreSQL, where each flight costs more than the probes do. It goes from workspace to workspace
//! and stops when enough of them have due jobs; of those it locks the oldest, and leaves out what others are looking at.

use entity::ids::{JobId, TypedId as _};
use sea_orm::ConnectionTrait as _;
use uuid::Uuid;

use super::pick::{FREE, OPEN, PROBES, Places, STEPS};
use super::turns::END;
use crate::kernel::Result;

/// Parties that one walk asks; the next goes on where this one stopped.
const MOST: i32 = (PROBES * STEPS) as i32;

/// What a walk found.
#[derive(Debug)]
pub(super) struct Walked {
    /// Parties with due jobs, in the order of the ring.
    pub(super) parties: Vec<Uuid>,
    /// Their oldest due jobs, party by party, locked.
    pub(super) found: Vec<(Uuid, JobId)>,
    /// After whom the ring goes on.
    pub(super) last: Uuid,
}

impl Places<'_> {
    /// Walks from here until `limit` parties with due jobs are found, or all were asked.
    pub(super) async fn walk(&self, start: Uuid, limit: usize) -> Result<Walked> {
        let mut values = self.values(start.into());
        values.push(i64::try_from(limit).unwrap_or(i64::MAX).into());
        let mut walked = Walked {
            parties: Vec::new(),
            found: Vec::new(),
            last: END,
        };
        let (mut asked, mut last) = (0, END);
        for row in self
            .tx
            .query_all_raw(self.statement(self.walking(), values))
            .await?
        {
            let (party, is_due): (Uuid, bool) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            let (step, id): (i32, Option<Uuid>) = (row.try_get_by_index(2)?, row.try_get_by_index(3)?);
            (asked, last) = (step, party);
            if is_due && walked.parties.last() != Some(&party) {
                walked.parties.push(party);
            }
            walked.found.extend(id.map(|id| (party, JobId::from_uuid(id))));
        }
        // Otherwise this was everybody, and the ring begins anew.
        if walked.parties.len() >= limit || asked >= MOST {
            walked.last = last;
        }
        Ok(walked)
    }

    /// The same text for every walk along this ring, so that it is planned once. `$3` is where the ring begins and `$5` how many are wanted.
    ///
    /// The first half of the ring goes to its end, the second one from its beginning back to the start. One look at a party is no EXISTS:
    /// PostgreSQL would rather read every due job once into a hash than look for one.
    fn walking(&self) -> String {
        let (waiting, party, wanted) = (self.waiting(), self.party(), self.wanted("next.party"));
        let next = |half: &str, from: &str| {
            format!(
                "(SELECT {party} AS party, {half} AS half FROM jobs WHERE {waiting} AND {from} ORDER BY {party} LIMIT 1)"
            )
        };
        let begin = next("0", &format!("{party} >= $3 AND {OPEN}"));
        let begin_again = next("1", &format!("{party} < $3 AND {OPEN}"));
        let go_on = next(
            "ring.half",
            &format!("{party} > ring.party AND (ring.half = 0 OR {party} < $3)"),
        );
        let turn = next("1", &format!("ring.half = 0 AND {party} < $3"));
        let look = format!(
            "CROSS JOIN LATERAL (SELECT (SELECT 1 FROM jobs WHERE {waiting} AND {party} = next.party AND {FREE} LIMIT 1) \
             IS NOT NULL{wanted} AS is_due OFFSET 0) AS look"
        );
        format!(
            "WITH RECURSIVE ring(party, half, step, is_due, due) AS (\
               SELECT next.party, next.half, 1, look.is_due, CAST(look.is_due AS int) \
               FROM ({begin} UNION ALL {begin_again} LIMIT 1) AS next {look} \
               UNION ALL \
               SELECT next.party, next.half, ring.step + 1, look.is_due, ring.due + CAST(look.is_due AS int) \
               FROM ring CROSS JOIN LATERAL ({go_on} UNION ALL {turn} LIMIT 1) AS next {look} \
               WHERE ring.step < {MOST} AND ring.due < $5) \
             SELECT ring.party, ring.is_due, ring.step, job.id FROM ring LEFT JOIN LATERAL (\
               SELECT id, run_at FROM jobs WHERE ring.is_due AND {waiting} AND {party} = ring.party AND {FREE} ORDER BY run_at, id \
               LIMIT (SELECT ($5 + max(due) - 1) / GREATEST(max(due), 1) FROM ring) FOR UPDATE SKIP LOCKED) AS job ON true \
             ORDER BY ring.step, job.run_at, job.id"
        )
    }
}
