//! A plan kept aside while the search goes on, and the way back to it.

use super::model::{Model, Span};
use super::state::State;

/// A plan kept aside.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) chunks: Vec<Span>,
    pub(super) count: Vec<u32>,
    pub(super) total: i64,
}

impl State<'_> {
    /// Copies the plan aside.
    pub(super) fn keep(&self, kept: &mut Kept) {
        kept.chunks.clone_from(&self.chunks);
        kept.count.clone_from(&self.count);
        kept.total = self.total;
    }

    /// Goes back to a plan kept aside.
    pub(super) fn restore(&mut self, kept: &Kept) {
        self.begin();
        for task in 0..self.count.len() as u32 {
            if self.is_placed(task) {
                self.lift(task);
            }
        }
        for task in 0..self.count.len() as u32 {
            let spans = kept.spans(self.model, task);
            if !spans.is_empty() {
                self.place(task, spans, self.model.cost(task, spans));
            }
        }
        self.begin();
    }
}

impl Kept {
    pub(super) fn of(state: &State<'_>) -> Self {
        let mut kept = Self {
            chunks: Vec::new(),
            count: Vec::new(),
            total: 0,
        };
        state.keep(&mut kept);
        kept
    }

    pub(super) fn spans(&self, model: &Model, task: u32) -> &[Span] {
        let offset = model.works[task as usize].offset as usize;
        &self.chunks[offset..offset + self.count[task as usize] as usize]
    }
}
