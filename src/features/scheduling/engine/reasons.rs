//! Why a chunk is where it is: what the next best place would cost more, part by part of the objective.

use super::bits::run;
use super::explain::{Placed, Reason, ReasonCode};
use super::model::Span;
use super::state::State;

/// Says it for every chunk of a task. Leaves the state as it was.
pub(super) fn reasons(state: &mut State<'_>, task: u32, id: u32) -> Vec<Placed> {
    let spans = state.chunks(task).to_vec();
    let model = state.model;
    let cost = state.cost(task);
    state.lift(task);
    let found = (0..spans.len()).map(|at| {
        let span = spans[at];
        let (alternative, reasons) = reasons_of(state, task, &spans, at, cost);
        Placed {
            task: id,
            chunk: model.slots(span),
            next_best: alternative.map(|(span, more)| (model.slots(span), more)),
            reasons,
        }
    });
    let found = found.collect();
    state.place(task, &spans, cost);
    found
}

type Alternative = Option<(Span, i64)>;

fn reasons_of(
    state: &State<'_>,
    task: u32,
    spans: &[Span],
    at: usize,
    cost: i64,
) -> (Alternative, Vec<Reason>) {
    let model = state.model;
    let work = &model.works[task as usize];
    let mut reasons = Vec::new();
    let Some((lo, hi)) = state.window(task) else {
        return (
            None,
            vec![Reason {
                code: ReasonCode::OnlyGap,
                cost: 0,
            }],
        );
    };
    let within = |lo: u32, hi: u32| {
        let lo = at
            .checked_sub(1)
            .map_or(lo, |before| lo.max(model.after(spans[before].1)));
        let hi = spans
            .get(at + 1)
            .map_or(hi, |after| hi.min(model.shadow(*after).0.min(after.0 - 1)));
        next_best(state, task, spans, at, (lo, hi))
    };
    let here = spans[at];
    if at == 0 && lo > work.lo {
        let gain = within(work.lo, here.0).map_or(0, |(_, sooner)| cost - sooner);
        if gain > 0 || lo == here.0 {
            reasons.push(Reason {
                code: ReasonCode::Dependency,
                cost: gain.max(0),
            });
        }
    }
    // Why not sooner, and why not later.
    let others = [within(lo, hi.min(here.1 - 1)), within(lo.max(here.0 + 1), hi)];
    let best = others.into_iter().flatten().min_by_key(|(_, cost)| *cost);
    if best.is_some() {
        reasons.extend(weighty(state, task, spans, at, others));
        if reasons.is_empty() {
            // Other places are as good: it came first.
            reasons.push(Reason {
                code: ReasonCode::Priority,
                cost: 0,
            });
        }
    } else {
        // With more time there would be other places: it is the deadline that keeps it here.
        let last = at + 1 == spans.len() && hi == work.hi && hi < model.len;
        let only_before = last && within(lo.max(here.0 + 1), model.len).is_some();
        let code = if only_before {
            ReasonCode::Deadline
        } else {
            ReasonCode::OnlyGap
        };
        reasons.push(Reason { code, cost: 0 });
    }
    (best.map(|(span, other)| (span, other - cost)), reasons)
}

/// What other places would cost more, part by part, the weightiest first.
fn weighty(state: &State<'_>, task: u32, spans: &[Span], at: usize, others: [Alternative; 2]) -> Vec<Reason> {
    let here = state.model.parts(task, spans);
    let mut most = [
        (ReasonCode::Deadline, 0),
        (ReasonCode::Priority, 0),
        (ReasonCode::Energy, 0),
        (ReasonCode::Focus, 0),
        (ReasonCode::Stability, 0),
    ];
    for (span, _) in others.into_iter().flatten() {
        let mut changed = spans.to_vec();
        changed[at] = span;
        let there = state.model.parts(task, &changed);
        let more = [
            there.tard - here.tard,
            there.flow - here.flow,
            there.pref - here.pref,
            there.focus - here.focus,
            there.moved - here.moved,
        ];
        for (known, more) in most.iter_mut().zip(more) {
            known.1 = known.1.max(more);
        }
    }
    most.sort_by_key(|(_, cost)| -cost);
    let reasons = most.into_iter().filter(|(_, cost)| *cost > 0);
    reasons.map(|(code, cost)| Reason { code, cost }).collect()
}

/// The cheapest other place of one chunk of a lifted task inside a window, with what the task costs then.
fn next_best(state: &State<'_>, task: u32, spans: &[Span], at: usize, (lo, hi): Span) -> Alternative {
    let model = state.model;
    let work = &model.works[task as usize];
    let open = &model.open[work.sched];
    let len = spans[at].1 - spans[at].0;
    let mut changed = spans.to_vec();
    let mut best: Alternative = None;
    let mut start = lo;
    while start + len <= hi {
        let room = run(&state.free, open, start, len);
        if room < len {
            start += room + 1;
            continue;
        }
        changed[at] = (start, start + len);
        if changed[at] != spans[at] && state.can_hold(&changed) {
            let cost = model.cost(task, &changed);
            if best.is_none_or(|(_, least)| cost < least) {
                best = Some((changed[at], cost));
            }
        }
        start += 1;
    }
    best
}
