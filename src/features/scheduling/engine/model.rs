//! A problem made ready for the search: time without the hours in which nothing can be planned, and sums that answer in one step.
//!
//! **Positions.** Only slots that some schedule opens and no busy time covers get a position. Between stretches that do not touch lies
//! one position that is never free, so that neighbouring free positions are neighbouring slots, a chunk is a run of free positions, and
//! two chunks of one task are apart exactly when a position lies between them. Positions grow with time.

/// Nobody: marks a position without a task.
pub(super) const NOBODY: u32 = u32::MAX;
/// A working-time clock that no chunk reaches.
pub(super) const NEVER: i64 = i64::MAX / 4;

/// A chunk in positions, `[start, end)`.
pub(super) type Span = (u32, u32);

/// One task in positions and weights.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) dur: u32,
    pub(super) min: u32,
    pub(super) max: u32,
    /// First position at which work may start.
    pub(super) lo: u32,
    /// Position before which work must have ended.
    pub(super) hi: u32,
    /// Position before which work must have ended so that all that waits for it can be in time.
    pub(super) tail: u32,
    /// Working-time clock at the earliest start.
    pub(super) clock_est: i64,
    /// Working-time clock at the soft deadline.
    pub(super) clock_due: i64,
    pub(super) prio: i64,
    pub(super) flow: i64,
    pub(super) tard: i64,
    pub(super) drop: i64,
    pub(super) profile: usize,
    pub(super) sched: usize,
    pub(super) deep: bool,
    /// Cost of moving everything the earlier plan has for this task.
    pub(super) move_all: i64,
    /// First position at or after its earlier chunks, or where it may start when there are none.
    pub(super) was_at: u32,
    /// Earlier chunks that could stay, each with what moving it costs.
    pub(super) prior: Vec<(Span, i64)>,
    pub(super) preds: Vec<u32>,
    pub(super) succs: Vec<u32>,
    /// Whether all of it can be one chunk.
    pub(super) whole: bool,
    /// Whether it can be several chunks.
    pub(super) parts: bool,
    /// How urgent it is by itself and through what waits for it: weight per slot.
    pub(super) ratio: f64,
    /// Where its chunks are kept in the state.
    pub(super) offset: u32,
    /// How many chunks it may have.
    pub(super) room: u32,
}

impl Work {
    /// Whether that much work can be cut into allowed chunks.
    pub(super) fn cuts_into(&self, rest: u32) -> bool {
        u64::from(rest) <= u64::from(rest / self.min) * u64::from(self.max)
    }
}

/// The compiled problem.
#[derive(Debug)]
pub(super) struct Model {
    /// Number of positions.
    pub(super) len: u32,
    /// The slot of each position.
    pub(super) slot: Vec<u32>,
    /// First position at or after each slot, and one more for the end.
    pub(super) next: Vec<u32>,
    /// The day of each position; the last day has no limit and holds what lies outside all days.
    pub(super) day: Vec<u32>,
    /// The position after the last one of each position's day, as far as it is one stretch.
    pub(super) day_end: Vec<u32>,
    /// Slots that may be planned in each day.
    pub(super) caps: Vec<i32>,
    /// Working-time clock after each position.
    pub(super) clock: Vec<i64>,
    /// For each schedule the positions it opens, 64 in a word.
    pub(super) open: Vec<Vec<u64>>,
    /// For each profile the weighted discomfort of all positions before.
    pub(super) pref: Vec<Vec<i64>>,
    /// Weighted positions inside protected windows before.
    pub(super) focus: Vec<i64>,
    pub(super) works: Vec<Work>,
    /// Indices of the tasks, dependencies first.
    pub(super) order: Vec<u32>,
    /// Room for all chunks.
    pub(super) room: u32,
    pub(super) frag: i64,
    /// Slots that stay free between two chunks.
    pub(super) gap: u32,
    /// Whether the costs hold on to the plan in force; then places are looked for that let others keep theirs.
    pub(super) is_steady: bool,
}

impl Model {
    /// The positions of a range of slots, when all of them have one.
    pub(super) fn span(&self, start: i64, end: i64) -> Option<Span> {
        if start < 0 || end <= start || end as usize >= self.next.len() {
            return None;
        }
        let first = self.next[start as usize];
        let last = first + (end - start) as u32 - 1;
        let fits = last < self.len
            && i64::from(self.slot[first as usize]) == start
            && i64::from(self.slot[last as usize]) == end - 1;
        fits.then_some((first, last + 1))
    }

    /// First position at which the same task may go on after a chunk that ends before a position.
    pub(super) fn after(&self, end: u32) -> u32 {
        if self.gap == 0 || end == 0 {
            return end + 1;
        }
        let slot = self.slot[end as usize - 1] + 1 + self.gap;
        self.next[(slot as usize).min(self.next.len() - 1)].max(end + 1)
    }

    /// The positions of a chunk and those around it that are too near for another one.
    pub(super) fn shadow(&self, (start, end): Span) -> Span {
        if self.gap == 0 {
            return (start, end);
        }
        let first = self.slot[start as usize].saturating_sub(self.gap);
        let last = self.slot[end as usize - 1] + 1 + self.gap;
        let last = self.next[(last as usize).min(self.next.len() - 1)];
        (self.next[first as usize].min(start), last.max(end))
    }

    /// The slots of a chunk.
    pub(super) fn slots(&self, (start, end): Span) -> (i64, i64) {
        (
            i64::from(self.slot[start as usize]),
            i64::from(self.slot[end as usize - 1]) + 1,
        )
    }
}
