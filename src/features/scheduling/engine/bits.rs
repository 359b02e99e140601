//! Runs of set bits: where a chunk of a given length can start.

/// Bits of the first word from which `length` bits in a row are set, for lengths up to 64.
pub(super) fn starts(word: u64, next: u64, length: u32) -> u64 {
    let mut bits = u128::from(word) | u128::from(next) << 64;
    let mut have = 1;
    while have < length {
        let step = have.min(length - have);
        bits &= bits >> step;
        have += step;
    }
    bits as u64
}

/// How many bits in a row are set from a position on, counted up to `enough`.
pub(super) fn run(free: &[u64], open: &[u64], from: u32, enough: u32) -> u32 {
    let mut at = from;
    while at - from < enough {
        let word = at as usize / 64;
        let Some(bits) = free.get(word).zip(open.get(word)).map(|(free, open)| free & open) else {
            break;
        };
        let inside = at % 64;
        let ones = (bits >> inside).trailing_ones();
        at += ones;
        if ones < 64 - inside {
            break;
        }
    }
    (at - from).min(enough)
}
