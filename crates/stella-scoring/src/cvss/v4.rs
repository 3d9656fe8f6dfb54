//! The scoring of CVSS v4.0 (specification, section 8): MacroVector lookup and interpolation.
//!
//! Severity distances are counted in steps of 0.1 and looked-up scores in tenths. All highest
//! severity vectors of one level of an equivalence set lie equally many steps from the top (the
//! specification's tables 24 to 29), so the distance of a vector from them is the sum of its
//! steps less that number. The mean of the proportional distances is a fraction of integers,
//! rounded half up once at the end.

use super::Values;

/// Where a vector stands: a level for each equivalence set.
#[derive(Clone, Copy)]
struct Macro {
    eq1: usize,
    eq2: usize,
    eq3: usize,
    eq4: usize,
    eq5: usize,
    eq6: usize,
}

/// Places of the metrics' values after the modified ones have replaced the base ones.
struct Effective {
    exploit: [u8; 5],
    vulnerable: [u8; 3],
    subsequent: [u8; 3],
    /// `MSI:S` or `MSA:S`.
    safety: [bool; 2],
    maturity: u8,
    requirements: [u8; 3],
}

const FIRST_OPTIONAL: usize = 11;
const FIRST_ENVIRONMENTAL: usize = 12;

pub(super) fn base_only(values: &Values) -> Values {
    let mut base = *values;
    base[FIRST_OPTIONAL..].fill(0);
    base
}

pub(super) fn base_and_threat(values: &Values) -> Values {
    let mut threat = *values;
    threat[FIRST_ENVIRONMENTAL..].fill(0);
    threat
}

pub(super) fn score(values: &Values) -> u8 {
    let effective = Effective::of(values);
    if effective.harmless() {
        return 0;
    }
    let at = effective.levels();
    interpolate(at, &effective.distances(at))
}

impl Effective {
    fn of(values: &Values) -> Self {
        let pick = |base: usize| match values[base + 15] {
            0 => values[base],
            place => place - 1,
        };
        // Not defined counts as the worst: attacked, and required highly.
        let worst = |place: usize| values[place].max(1) - 1;
        let (integrity, availability) = (pick(9), pick(10));
        Self {
            exploit: [0, 1, 2, 3, 4].map(pick),
            vulnerable: [5, 6, 7].map(pick),
            // Safety is listed after none; its own flag says so and its distance is set apart.
            subsequent: [pick(8), integrity, availability],
            safety: [integrity == SAFETY, availability == SAFETY],
            maturity: worst(11),
            requirements: [12, 13, 14].map(worst),
        }
    }

    fn harmless(&self) -> bool {
        self.vulnerable == [NONE; 3] && self.subsequent == [NONE; 3]
    }

    /// Specification, section 8.2, tables 24 to 29.
    fn levels(&self) -> Macro {
        let [av, ac, at, pr, ui] = self.exploit;
        let zeros = [av, pr, ui].iter().filter(|&&place| place == 0).count();
        let high = self.vulnerable.map(|impact| impact == 0);
        Macro {
            eq1: match zeros {
                3 => 0,
                1.. if av != 3 => 1,
                _ => 2,
            },
            eq2: usize::from(ac != 0 || at != 0),
            eq3: match high {
                [true, true, _] => 0,
                [false, false, false] => 2,
                _ => 1,
            },
            eq4: if self.safety.contains(&true) {
                0
            } else if self.subsequent.contains(&0) {
                1
            } else {
                2
            },
            eq5: usize::from(self.maturity),
            eq6: usize::from(!(0..3).any(|i| high[i] && self.requirements[i] == 0)),
        }
    }

    /// Steps from the highest severity vectors of the same level, for EQ1, EQ2, EQ3 with EQ6, EQ4.
    fn distances(&self, at: Macro) -> [i64; 4] {
        let [av, ac, attack, pr, ui] = self.exploit.map(i64::from);
        let subsequent: i64 = (0..3)
            .map(|i| match i > 0 && self.safety[i - 1] {
                true => 0,
                false => i64::from(self.subsequent[i]) + 1,
            })
            .sum();
        let vulnerable: i64 = self
            .vulnerable
            .iter()
            .chain(&self.requirements)
            .map(|&place| i64::from(place))
            .sum();
        [
            av + pr + ui - EQ1_TOP[at.eq1],
            ac + attack - EQ2_TOP[at.eq2],
            vulnerable - EQ3_EQ6_TOP[at.eq3][at.eq6],
            subsequent - EQ4_TOP[at.eq4],
        ]
    }
}

const NONE: u8 = 2;
const SAFETY: u8 = 3;

/// Steps of the highest severity vectors of each level from the top.
const EQ1_TOP: [i64; 3] = [0, 1, 3];
const EQ2_TOP: [i64; 2] = [0, 1];
const EQ3_EQ6_TOP: [[i64; 2]; 3] = [[0, 3], [1, 3], [3, 3]];
const EQ4_TOP: [i64; 3] = [1, 3, 6];

/// Depth of each level in steps.
const EQ1_DEPTH: [i64; 3] = [1, 4, 5];
const EQ2_DEPTH: [i64; 2] = [1, 2];
const EQ3_EQ6_DEPTH: [[i64; 2]; 3] = [[7, 6], [8, 8], [10, 10]];
const EQ4_DEPTH: [i64; 3] = [6, 5, 4];

/// Divisible by every depth.
const FRACTION: i64 = 840;

fn interpolate(at: Macro, distances: &[i64; 4]) -> u8 {
    let Some(own) = lookup(at) else { return 0 };
    let below = [
        (
            lookup(Macro {
                eq1: at.eq1 + 1,
                ..at
            }),
            distances[0],
            EQ1_DEPTH[at.eq1],
        ),
        (
            lookup(Macro {
                eq2: at.eq2 + 1,
                ..at
            }),
            distances[1],
            EQ2_DEPTH[at.eq2],
        ),
        (
            below_eq3_eq6(at),
            distances[2],
            EQ3_EQ6_DEPTH[at.eq3][at.eq6],
        ),
        (
            lookup(Macro {
                eq4: at.eq4 + 1,
                ..at
            }),
            distances[3],
            EQ4_DEPTH[at.eq4],
        ),
        // EQ5 has one vector a level: its distance is always 0, yet it counts in the mean.
        (
            lookup(Macro {
                eq5: at.eq5 + 1,
                ..at
            }),
            0,
            1,
        ),
    ];
    let (mut count, mut sum) = (0, 0);
    for (lower, distance, depth) in below {
        if let Some(lower) = lower {
            count += 1;
            sum += (own - lower) * distance * (FRACTION / depth);
        }
    }
    let (value, unit) = match count {
        0 => (own, 1),
        count => (own * count * FRACTION - sum, count * FRACTION),
    };
    ((2 * value + unit) / (2 * unit)).clamp(0, 100) as u8
}

/// The next lower score of EQ3 and EQ6 together; from the top two ways lead down and the higher
/// score counts.
fn below_eq3_eq6(at: Macro) -> Option<i64> {
    match (at.eq3, at.eq6) {
        (0, 0) => lookup(Macro { eq6: 1, ..at }).max(lookup(Macro { eq3: 1, ..at })),
        (1, 0) => lookup(Macro { eq6: 1, ..at }),
        _ => lookup(Macro {
            eq3: at.eq3 + 1,
            ..at
        }),
    }
}

fn lookup(at: Macro) -> Option<i64> {
    if at.eq1 > 2 || at.eq2 > 1 || at.eq3 > 2 || at.eq4 > 2 || at.eq5 > 2 {
        return None;
    }
    let row = (at.eq1 * 2 + at.eq2) * 3 + at.eq3;
    let score = MACRO_VECTORS[row][(at.eq4 * 3 + at.eq5) * 2 + at.eq6];
    (score != NO).then_some(i64::from(score))
}

/// Marks a MacroVector that cannot be (EQ3 at 2 with EQ6 at 0).
const NO: u8 = u8::MAX;

/// Scores of the MacroVectors in tenths, published with the specification (section 8.3). A row is
/// EQ1, EQ2, EQ3; a column EQ4, EQ5, EQ6.
#[rustfmt::skip]
const MACRO_VECTORS: [[u8; 18]; 18] = [
    [100, 99, 98, 95, 95, 92,100, 96, 93, 87, 91, 81, 93, 90, 89, 80, 81, 68],
    [ 98, 95, 95, 92, 90, 84, 93, 92, 89, 81, 81, 65, 88, 80, 78, 70, 69, 48],
    [ NO, 92, NO, 82, NO, 72, NO, 79, NO, 69, NO, 50, NO, 69, NO, 55, NO, 27],
    [ 99, 97, 95, 92, 92, 85, 95, 91, 90, 83, 84, 71, 92, 81, 82, 71, 72, 53],
    [ 95, 93, 92, 85, 85, 73, 92, 82, 80, 72, 70, 59, 84, 70, 71, 52, 50, 30],
    [ NO, 86, NO, 75, NO, 52, NO, 71, NO, 52, NO, 29, NO, 63, NO, 29, NO, 17],
    [ 98, 95, 94, 87, 91, 81, 94, 89, 86, 74, 77, 64, 87, 75, 74, 63, 63, 49],
    [ 94, 89, 88, 77, 76, 67, 86, 76, 74, 58, 59, 50, 72, 57, 57, 52, 52, 25],
    [ NO, 83, NO, 70, NO, 54, NO, 65, NO, 58, NO, 26, NO, 53, NO, 21, NO, 13],
    [ 95, 90, 88, 76, 76, 70, 90, 77, 75, 62, 61, 53, 77, 66, 68, 59, 52, 30],
    [ 89, 78, 76, 67, 62, 58, 74, 59, 57, 57, 47, 23, 61, 52, 57, 29, 24, 16],
    [ NO, 71, NO, 59, NO, 30, NO, 58, NO, 26, NO, 15, NO, 23, NO, 13, NO,  6],
    [ 93, 87, 86, 72, 75, 58, 86, 74, 74, 61, 56, 34, 70, 54, 52, 40, 40, 22],
    [ 85, 75, 74, 55, 62, 51, 72, 57, 55, 41, 46, 19, 53, 36, 34, 19, 19,  8],
    [ NO, 64, NO, 51, NO, 20, NO, 47, NO, 21, NO, 11, NO, 24, NO,  9, NO,  4],
    [ 88, 75, 73, 53, 60, 50, 73, 55, 59, 40, 41, 20, 54, 43, 45, 22, 20, 11],
    [ 75, 55, 58, 45, 40, 21, 61, 51, 48, 18, 20,  9, 46, 18, 17,  7,  8,  2],
    [ NO, 53, NO, 24, NO, 14, NO, 24, NO, 12, NO,  5, NO, 10, NO,  3, NO,  1],
];
