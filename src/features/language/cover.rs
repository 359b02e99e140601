//! The best choice among what was found: claims that do not overlap and together explain most of the text. Pure, and the same for the
//! same claims.

use super::find::Found;

/// Chooses claims; the answer is in the order of the text.
pub(super) fn best(mut found: Vec<Found>, tokens: usize) -> Vec<Found> {
    found.sort_by_key(|claim| (claim.to, claim.from));
    // The best score that the tokens before a place can have, and the claim that ends there.
    let mut score = vec![0_u32; tokens + 1];
    let mut chosen: Vec<Option<usize>> = vec![None; tokens + 1];
    let mut next = 0;
    for place in 1..=tokens {
        score[place] = score[place - 1];
        while let Some(claim) = found.get(next).filter(|claim| claim.to == place) {
            let total = score[claim.from] + u32::from(claim.score);
            if total > score[place] {
                score[place] = total;
                chosen[place] = Some(next);
            }
            next += 1;
        }
    }
    let mut picked = Vec::new();
    let mut place = tokens;
    while place > 0 {
        match chosen[place] {
            Some(index) => {
                picked.push(index);
                place = found[index].from;
            }
            None => place -= 1,
        }
    }
    picked.reverse();
    let mut kept: Vec<Option<Found>> = found.into_iter().map(Some).collect();
    picked
        .into_iter()
        .filter_map(|index| kept[index].take())
        .collect()
}
