//! The equations of CVSS v2.0 (guide, section 3.2), exact: every coefficient is a decimal, so
//! every value is an integer at a fixed scale, and only the specified roundings round.

use super::Values;

const ACCESS_VECTOR: [i128; 3] = [395, 646, 1_000];
const ACCESS_COMPLEXITY: [i128; 3] = [35, 61, 71];
const AUTHENTICATION: [i128; 3] = [450, 560, 704];
const IMPACT: [i128; 3] = [0, 275, 660];
const EXPLOITABILITY: [i128; 5] = [100, 85, 90, 95, 100];
const REMEDIATION: [i128; 5] = [100, 87, 90, 95, 100];
const CONFIDENCE: [i128; 4] = [100, 90, 95, 100];
const COLLATERAL_DAMAGE: [i128; 6] = [0, 0, 10, 30, 40, 50];
const TARGET_DISTRIBUTION: [i128; 5] = [100, 0, 25, 75, 100];
const REQUIREMENT: [i128; 4] = [100, 50, 100, 151];

pub(super) fn base(values: &Values) -> u8 {
    narrow(base_from(values, impact(values, [0; 3])))
}

pub(super) fn temporal(values: &Values) -> u8 {
    narrow(temporal_of(
        values,
        base_from(values, impact(values, [0; 3])),
    ))
}

pub(super) fn environmental(values: &Values) -> u8 {
    let impact = impact(values, [values[11], values[12], values[13]]).min(TEN);
    let adjusted = temporal_of(values, base_from(values, impact));
    let damage = COLLATERAL_DAMAGE[usize::from(values[9])];
    let targets = TARGET_DISTRIBUTION[usize::from(values[10])];
    narrow(half_up(
        (adjusted * 100 + (100 - adjusted) * damage) * targets,
        10_000,
    ))
}

/// Ten in the unit of impacts, 10^-17.
const TEN: i128 = 10i128.pow(18);

/// The impact under the given security requirements. Only the adjusted impact is capped at ten:
/// the plain one reaches 10.0008.
fn impact(values: &Values, requirements: [u8; 3]) -> i128 {
    // What is left after each impact, in 10^-5; their product in 10^-15.
    let left: i128 = (0..3)
        .map(|i| {
            100_000 - IMPACT[usize::from(values[3 + i])] * REQUIREMENT[usize::from(requirements[i])]
        })
        .product();
    1_041 * (10i128.pow(15) - left)
}

/// The base equation in tenths; below zero for a very small adjusted impact, as published.
fn base_from(values: &Values, impact: i128) -> i128 {
    if impact == 0 {
        return 0;
    }
    let exploitability = 20
        * ACCESS_VECTOR[usize::from(values[0])]
        * ACCESS_COMPLEXITY[usize::from(values[1])]
        * AUTHENTICATION[usize::from(values[2])]; // 10^-8
    let sum = 6 * impact + 4 * exploitability * 10i128.pow(9) - 15 * 10i128.pow(17); // 10^-18
    half_up(sum * 1_176, 10i128.pow(20))
}

fn temporal_of(values: &Values, base: i128) -> i128 {
    let factors = EXPLOITABILITY[usize::from(values[6])]
        * REMEDIATION[usize::from(values[7])]
        * CONFIDENCE[usize::from(values[8])];
    half_up(base * factors, 1_000_000)
}

/// Rounds a quotient half up, away from zero.
fn half_up(value: i128, unit: i128) -> i128 {
    value.signum() * ((2 * value.abs() + unit) / (2 * unit))
}

fn narrow(tenths: i128) -> u8 {
    tenths.clamp(0, 100) as u8
}
