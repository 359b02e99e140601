//! Taking tasks out so that putting them back can improve the plan: several ways to choose which, and a memory of which way helps.

use super::habits::Choice;
use super::model::NOBODY;
use super::recreate::Bench;

/// A way to choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ruin {
    /// One task and whoever lies where it would rather be.
    Swap,
    /// Neighbours in time.
    Stretch,
    /// Two stretches of neighbours.
    Stretches,
    /// A task and what it is tied to by dependencies.
    Chain,
    /// Tasks that cost much more than they would have to, and whoever is in their way.
    Worst,
    /// Tasks of one length, anywhere near in time.
    Peers,
    /// Any tasks.
    Scatter,
    /// A task that is left out and some in its window.
    Rescue,
}

/// All of them.
pub(super) const ALL: [Ruin; 8] = [
    Ruin::Swap,
    Ruin::Stretch,
    Ruin::Stretches,
    Ruin::Chain,
    Ruin::Worst,
    Ruin::Peers,
    Ruin::Scatter,
    Ruin::Rescue,
];
impl Bench<'_> {
    /// Takes tasks out by the chosen way, about `size` of them.
    pub(super) fn ruin(&mut self, choice: Choice, size: usize) {
        match choice.ruin() {
            Ruin::Swap => self.swap(),
            Ruin::Stretch => self.stretch(size),
            Ruin::Stretches => {
                self.stretch(size / 2 + 1);
                self.stretch(size / 2 + 1);
            }
            Ruin::Chain => self.chain(size),
            Ruin::Worst => self.worst(size),
            Ruin::Peers => self.peers(size),
            Ruin::Scatter => {
                for _ in 0..size {
                    if let Some(task) = self.any_placed() {
                        self.take(task);
                    }
                }
            }
            Ruin::Rescue => self.rescue(size),
        }
    }

    fn any_placed(&mut self) -> Option<u32> {
        let tasks = self.state.model.works.len();
        for _ in 0..8 {
            let task = self.random.below(tasks) as u32;
            if self.state.is_placed(task) {
                return Some(task);
            }
        }
        None
    }

    fn swap(&mut self) {
        if let Some(task) = self.any_placed() {
            self.aim(task);
        }
    }

    /// Takes a task and whoever lies at a place before it where it could be.
    fn aim(&mut self, task: u32) {
        let model = self.state.model;
        let work = &model.works[task as usize];
        let Some(&(first, _)) = self.state.chunks(task).first() else {
            return;
        };
        let lo = self.state.window(task).map_or(work.lo, |window| window.0);
        self.take(task);
        let start = if lo < first && !self.random.chance(150) {
            // Places close to the task are tried more often than those far from it.
            let reach = (first - lo) as usize;
            let reach = if self.random.chance(500) {
                reach
            } else {
                reach.min(48)
            };
            first - 1 - self.random.below(reach) as u32
        } else {
            let reach = work.hi.saturating_sub(work.lo + work.dur) as usize;
            work.lo + self.random.below(reach.min(200) + 1) as u32
        };
        let length = work.dur.min(12);
        for at in start..(start + length).min(model.len) {
            self.evict(at);
        }
    }

    /// Takes about `size` tasks that lie next to each other.
    fn stretch(&mut self, size: usize) {
        let Some(task) = self.any_placed() else { return };
        let chunk = self.random.below(self.state.chunks(task).len());
        let middle = self.state.chunks(task)[chunk].0;
        self.around(middle, size);
    }

    fn around(&mut self, middle: u32, size: usize) {
        let model = self.state.model;
        let (mut left, mut right) = (middle, middle);
        let enough = self.waiting() + size;
        // Empty time is walked over, but not for ever.
        for _ in 0..size * 12 {
            if self.waiting() >= enough {
                break;
            }
            if self.random.chance(500) {
                if right < model.len {
                    self.evict(right);
                    right += 1;
                }
            } else if left > 0 {
                left -= 1;
                self.evict(left);
            }
        }
    }

    fn chain(&mut self, size: usize) {
        let Some(mut task) = self.any_placed() else { return };
        let enough = self.waiting() + size;
        for _ in 0..size {
            if self.waiting() >= enough {
                break;
            }
            self.take(task);
            let work = &self.state.model.works[task as usize];
            let ties = work.preds.len() + work.succs.len();
            if ties == 0 {
                break;
            }
            let pick = self.random.below(ties);
            task = work
                .preds
                .iter()
                .chain(&work.succs)
                .copied()
                .nth(pick)
                .unwrap_or(task);
            if self.state.is_placed(task) && self.random.chance(400) {
                self.aim(task);
            }
        }
    }

    fn worst(&mut self, size: usize) {
        let model = self.state.model;
        for _ in 0..size.div_ceil(3) {
            let mut worst: Option<(i64, u32)> = None;
            for _ in 0..6 {
                let Some(task) = self.any_placed() else { continue };
                let work = &model.works[task as usize];
                let excess = self.state.cost(task) - work.flow * i64::from(work.dur);
                if worst.is_none_or(|(most, _)| excess > most) {
                    worst = Some((excess, task));
                }
            }
            if let Some((_, task)) = worst {
                self.aim(task);
            }
        }
    }

    fn peers(&mut self, size: usize) {
        let model = self.state.model;
        let Some(task) = self.any_placed() else { return };
        let dur = model.works[task as usize].dur;
        self.take(task);
        for _ in 0..size * 4 {
            if self.waiting() > size {
                break;
            }
            match self.any_placed() {
                Some(other) if model.works[other as usize].dur == dur => self.take(other),
                _ => {}
            }
        }
    }

    fn rescue(&mut self, size: usize) {
        let model = self.state.model;
        let out = self.state.out.len();
        if out == 0 {
            return self.swap();
        }
        let mut task = self.state.out[self.random.below(out)];
        // A task that waits for others that are out, or too late for it, can only come back with them.
        loop {
            self.take(task);
            self.free_followers(task);
            let work = &model.works[task as usize];
            let latest = work.tail.saturating_sub(work.dur);
            let missing = |pred: &&u32| {
                self.state
                    .chunks(**pred)
                    .last()
                    .is_none_or(|last| last.1 > latest)
            };
            let Some(&pred) = work.preds.iter().find(missing) else {
                break;
            };
            if self.is_taken(pred) {
                break;
            }
            task = pred;
        }
        let mut follow = task;
        while let Some(&succ) = model.works[follow as usize]
            .succs
            .iter()
            .find(|succ| !self.is_taken(**succ))
        {
            self.take(succ);
            follow = succ;
        }
        let work = &model.works[task as usize];
        if work.tail <= work.lo {
            return;
        }
        let place = work.lo + self.random.below((work.tail - work.lo) as usize) as u32;
        if self.random.chance(700) {
            self.around(place, size);
        } else {
            for _ in 0..size {
                let at = work.lo + self.random.below((work.tail - work.lo) as usize) as u32;
                if self.state.owner[at as usize] != NOBODY {
                    self.evict(at);
                }
            }
        }
    }
}
