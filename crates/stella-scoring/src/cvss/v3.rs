//! The equations of CVSS v3.0 and v3.1 (specifications, section 7) in integers.
//!
//! All is exact but the 15th (v3.1, modified: 13th) power in the impact of a changed scope, which
//! is a binary fixed-point number whose error is below 10^-15; a test walks every reachable sum
//! and shows that none lies within 10^-12 of where rounding would turn.

use super::Values;

/// v3.0 and v3.1 differ in Roundup and in the modified impact of a changed scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Revision {
    V3_0,
    V3_1,
}

const ATTACK_VECTOR: [i64; 4] = [85, 62, 55, 20];
const ATTACK_COMPLEXITY: [i64; 2] = [77, 44];
const PRIVILEGES: [[i64; 3]; 2] = [[85, 62, 27], [85, 68, 50]];
const USER_INTERACTION: [i64; 2] = [85, 62];
const IMPACT: [i64; 3] = [56, 22, 0];
const EXPLOIT_MATURITY: [i64; 5] = [100, 100, 97, 94, 91];
const REMEDIATION: [i64; 5] = [100, 100, 97, 96, 95];
const CONFIDENCE: [i64; 4] = [100, 100, 96, 92];
/// In halves: not defined, high, medium, low.
const REQUIREMENT: [i64; 4] = [2, 3, 2, 1];

const NANO: i64 = 1_000_000_000;
/// One in the unit that sums are held in, 10^-17.
const ONE: i64 = 100_000_000_000_000_000;

/// What the impact and exploitability equations read: places in the lists above, and the impacts
/// in two-hundredths.
struct Inputs {
    attack_vector: u8,
    attack_complexity: u8,
    privileges: u8,
    user_interaction: u8,
    scope_changed: bool,
    impacts: [i64; 3],
}

pub(super) fn base(values: &Values, revision: Revision) -> u8 {
    let inputs = Inputs {
        attack_vector: values[0],
        attack_complexity: values[1],
        privileges: values[2],
        user_interaction: values[3],
        scope_changed: values[4] == 1,
        impacts: [5, 6, 7].map(|i| IMPACT[usize::from(values[i])] * 2),
    };
    round_up(inputs.sum(false), ONE, revision)
}

pub(super) fn temporal(values: &Values, revision: Revision) -> u8 {
    temporal_of(values, base(values, revision), revision)
}

pub(super) fn environmental(values: &Values, revision: Revision) -> u8 {
    let pick = |base: usize, modified: usize| match values[modified] {
        0 => values[base],
        place => place - 1,
    };
    let inputs = Inputs {
        attack_vector: pick(0, 14),
        attack_complexity: pick(1, 15),
        privileges: pick(2, 16),
        user_interaction: pick(3, 17),
        scope_changed: pick(4, 18) == 1,
        impacts: [0, 1, 2].map(|i| {
            IMPACT[usize::from(pick(5 + i, 19 + i))] * REQUIREMENT[usize::from(values[11 + i])]
        }),
    };
    let modified = round_up(inputs.sum(revision == Revision::V3_1), ONE, revision);
    temporal_of(values, modified, revision)
}

impl Inputs {
    /// Impact plus exploitability before Roundup, at most 10, in 10^-17.
    fn sum(&self, dampened: bool) -> i64 {
        let impact = self.impact(dampened);
        if impact <= 0 {
            return 0;
        }
        let exploitability = 822
            * ATTACK_VECTOR[usize::from(self.attack_vector)]
            * ATTACK_COMPLEXITY[usize::from(self.attack_complexity)]
            * PRIVILEGES[usize::from(self.scope_changed)][usize::from(self.privileges)]
            * USER_INTERACTION[usize::from(self.user_interaction)]; // 10^-10
        let factor = if self.scope_changed { 108 } else { 100 };
        ((impact + exploitability * 100_000) * factor).min(10 * ONE)
    }

    /// The impact sub-score in 10^-15.
    fn impact(&self, dampened: bool) -> i64 {
        let left: i64 = self.impacts.iter().map(|impact| 200 - impact).product();
        let combined = ((8_000_000 - left) * 125).min(915_000_000); // 10^-9
        if !self.scope_changed {
            return 642 * combined * 10_000;
        }
        if combined == 0 {
            return 0;
        }
        // The least combined impact other than 0 is 0.11, so that the base of the power is positive.
        let (base, exponent) = match dampened {
            true => (combined * 9_731 - NANO / 50 * 10_000, 13),
            false => ((combined - NANO / 50) * 10_000, 15),
        };
        752 * (combined - 29_000_000) * 10_000 - power(base, exponent)
    }
}

/// 3.25 times the given power of `base` (in 10^-13), in 10^-15.
fn power(base: i64, exponent: u32) -> i64 {
    const BITS: u32 = 60;
    let factor = ((base as u128) << BITS) / 10_000_000_000_000;
    let power = (1..exponent).fold(factor, |power, _| (power * factor) >> BITS);
    ((power * 3_250_000_000_000_000) >> BITS) as i64
}

fn temporal_of(values: &Values, base: u8, revision: Revision) -> u8 {
    let factors = EXPLOIT_MATURITY[usize::from(values[8])]
        * REMEDIATION[usize::from(values[9])]
        * CONFIDENCE[usize::from(values[10])];
    round_up(i64::from(base) * factors, 10_000_000, revision)
}

/// Rounds up to tenths as each revision says: v3.0 is the ceiling, v3.1 first rounds to five
/// decimals (appendix A) to forgive floating point.
fn round_up(value: i64, one: i64, revision: Revision) -> u8 {
    let tenths = match revision {
        Revision::V3_0 => ceiling(value, one / 10),
        Revision::V3_1 => {
            let unit = one / 100_000;
            ceiling((value + unit / 2) / unit, 10_000)
        }
    };
    tenths as u8 // At most 100: `value` is at most ten.
}

fn ceiling(value: i64, unit: i64) -> i64 {
    (value + unit - 1) / unit
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Distance of every changed-scope sum from the nearest turning point of its rounding.
    #[test]
    fn no_sum_is_near_a_turning_point() {
        let margin = ONE / 1_000_000_000_000;
        let levels = [0i64, 22, 44, 66, 56, 112, 168];
        let mut walked = 0;
        for combination in 0..343usize {
            let impacts = [
                levels[combination % 7],
                levels[combination / 7 % 7],
                levels[combination / 49],
            ];
            for place in 0..48u8 {
                for dampened in [false, true] {
                    let inputs = Inputs {
                        attack_vector: place % 4,
                        attack_complexity: place / 4 % 2,
                        privileges: place / 8 % 3,
                        user_interaction: place / 24,
                        scope_changed: true,
                        impacts,
                    };
                    let sum = inputs.sum(dampened);
                    if sum == 0 || sum == 10 * ONE {
                        continue;
                    }
                    walked += 1;
                    for (unit, turn) in [(ONE / 10, 0), (ONE / 100_000, ONE / 200_000)] {
                        let distance = (sum - turn).rem_euclid(unit);
                        assert!(
                            distance.min(unit - distance) > margin,
                            "{sum} {impacts:?} {place}"
                        );
                    }
                }
            }
        }
        assert!(walked > 20_000, "{walked}");
    }
}
