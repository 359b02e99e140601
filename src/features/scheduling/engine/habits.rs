//! What the search has learned: which ways of taking out and putting back have helped lately.

use super::random::Random;
use super::recreate::Order;
use super::ruin::{ALL, Ruin};
use super::whole::Blink;

/// How often good places are overlooked, per mille.
const BLINKS: [Blink; 4] = [0, 20, 100, 300];
const ORDERS: [Order; 5] = [
    Order::Urgent,
    Order::Due,
    Order::Long,
    Order::Tight,
    Order::Random,
];

/// What was learned about choices of one kind.
#[derive(Debug)]
struct Odds<const N: usize> {
    weight: [f64; N],
    gain: [f64; N],
    used: [f64; N],
}

impl<const N: usize> Odds<N> {
    fn new() -> Self {
        Self {
            weight: [1.0; N],
            gain: [0.0; N],
            used: [0.0; N],
        }
    }

    fn choose(&self, mut point: f64) -> usize {
        point *= self.weight.iter().sum::<f64>();
        for (at, weight) in self.weight.iter().enumerate() {
            point -= weight;
            if point < 0.0 {
                return at;
            }
        }
        N - 1
    }

    fn learn(&mut self) {
        let rates: [f64; N] = std::array::from_fn(|at| self.gain[at] / self.used[at].max(1.0));
        let best = rates.into_iter().fold(1e-9, f64::max);
        for (at, rate) in rates.into_iter().enumerate() {
            // Every way keeps a chance: late in the search another one may help.
            let merit = 0.3 + rate / best;
            self.weight[at] = 0.7 * self.weight[at] + 0.3 * merit;
            self.gain[at] *= 0.5;
            self.used[at] *= 0.5;
        }
    }
}

/// Which ways of taking out and putting back have helped lately.
#[derive(Debug)]
pub(super) struct Habits {
    ruins: Odds<{ ALL.len() }>,
    orders: Odds<5>,
    blinks: Odds<4>,
    rounds: u32,
}

/// One choice of both.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice {
    ruin: usize,
    order: usize,
    blink: usize,
}

impl Choice {
    pub(super) fn ruin(self) -> Ruin {
        ALL[self.ruin]
    }

    pub(super) fn blink(self) -> Blink {
        BLINKS[self.blink]
    }

    pub(super) fn order(self) -> Order {
        ORDERS[self.order]
    }
}

impl Habits {
    pub(super) fn new() -> Self {
        Self {
            ruins: Odds::new(),
            orders: Odds::new(),
            blinks: Odds::new(),
            rounds: 0,
        }
    }

    pub(super) fn choose(&self, random: &mut Random) -> Choice {
        Choice {
            ruin: self.ruins.choose(random.unit()),
            order: self.orders.choose(random.unit()),
            blink: self.blinks.choose(random.unit()),
        }
    }

    /// Remembers what came of a choice: how many tasks it moved, and how good the result was.
    pub(super) fn reward(&mut self, choice: Choice, effort: f64, merit: f64) {
        self.ruins.used[choice.ruin] += effort;
        self.orders.used[choice.order] += effort;
        self.ruins.gain[choice.ruin] += merit;
        self.orders.gain[choice.order] += merit;
        self.blinks.used[choice.blink] += effort;
        self.blinks.gain[choice.blink] += merit;
        self.rounds += 1;
        if self.rounds.is_multiple_of(2000) {
            self.ruins.learn();
            self.orders.learn();
            self.blinks.learn();
        }
    }
}
